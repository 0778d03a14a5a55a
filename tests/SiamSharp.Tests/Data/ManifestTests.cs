using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public sealed class ManifestTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public ManifestTests()
    {
        foreach (string file in new[] { "img/a.jpg", "img/b.jpg", "img/sub/c.jpg", "img/x, y.jpg" }) _folder.Write(file, "x");
    }

    public void Dispose() => _folder.Dispose();

    private IImageSource Open(string file) => ImageSources.Open(Path.Combine(_folder.Root, file), new DataOptions());

    private string[] Entries(IImageSource source) => [.. Enumerable.Range(0, source.Count).Select(i =>
        Path.GetRelativePath(_folder.Root, source.PathOf(i)) + "="
            + (source.LabelOf(i) is >= 0 and var l ? source.ClassNames![l] : "?"))];

    [Theory]
    [InlineData("path,label\nimg/b.jpg,dog\nimg/a.jpg,cat\n")]
    [InlineData("label,filename,split\r\ndog,img/b.jpg,train\r\n\r\ncat,img/a.jpg,test\r\n")]
    [InlineData("img/b.jpg,dog\nimg/a.jpg,cat")]
    [InlineData("\"file\",\"label\"\n\"img/b.jpg\",\"dog\"\n\"img/a.jpg\",cat\n")]
    public void Open_Csv_FindsColumnsWithAndWithoutHeader(string text)
    {
        _folder.Write("m.csv", text);
        var source = Open("m.csv");
        Assert.Equal(["img/b.jpg=dog", "img/a.jpg=cat"], Entries(source));
        Assert.Equal(["cat", "dog"], source.ClassNames!);
        Assert.Empty(source.Notes);
    }

    [Fact]
    public void Open_ByteOrderMarkAndQuotedComma_AreUnderstood()
    {
        _folder.Write("m.csv", "\uFEFFpath,label\n\"img/x, y.jpg\",\"a \"\"b\"\"\"\n");
        Assert.Equal(["img/x, y.jpg=a \"b\""], Entries(Open("m.csv")));
    }

    [Fact]
    public void Open_Jsonl_TakesTextAndNumbersAsLabels()
    {
        _folder.Write("m.jsonl", "{\"path\":\"img/a.jpg\",\"label\":3}\r\n\n{\"file_name\":\"img/sub/c.jpg\"}\n");
        Assert.Equal(["img/a.jpg=3", "img/sub/c.jpg=?"], Entries(Open("m.jsonl")));
    }

    [Fact]
    public void Open_NoLabels_HasNoClasses()
    {
        _folder.Write("m.csv", "path\nimg/a.jpg\n");
        Assert.Null(Open("m.csv").ClassNames);
    }

    [Theory]
    [InlineData("path,label\nIMG/A.JPG,cat\nIMG/B.JPG,cat\n", "img/a.jpg': capitals count here")]
    [InlineData("path,label\nimg/a%2Ejpg,cat\nimg/b%2Ejpg,cat\n",
        "There is 'img/a.jpg': write the names of files, not as addresses have them")]
    public void Open_FilesThatAreWrittenInAnotherWay_NamesOneThatThereIs(string text, string expected)
    {
        _folder.Write("m.csv", text);
        Assert.Contains(expected, Assert.Throws<DataSourceException>(() => Open("m.csv")).Message);
    }

    [Fact]
    public void Open_MissingFiles_AreUnreadableImages()
    {
        _folder.Write("m.csv", "path,label\nimg/a.jpg,cat\nimg/gone.jpg,cat\nimg/gone2.jpg,cat\n");
        var source = Open("m.csv");
        Assert.Equal(3, source.Count);
        Assert.Empty(source.Notes); // they are told with the other files that cannot be read
        Assert.Equal("does not exist", Assert.Throws<UnreadableImageException>(() => source.Decode(1, 8)).Reason);
    }

    [Theory]
    [InlineData("m.csv", "", "is empty (0 bytes) and lists no image")]
    [InlineData("m.csv", "path,label\n", "lists none: there is nothing below its first line")]
    [InlineData("m.csv", "sep=;\npath;label\nimg/a.jpg;cat\n",
        "must have commas between its fields, but its first line is 'sep=;'")]
    [InlineData("m.csv", "img/a.jpg;cat\nimg/b.jpg;cat\n",
        "must have commas between its fields, but has lines such as 'img/a.jpg;cat'")]
    [InlineData("m.csv", "path\nC:\\Users\\me\\img\\a.jpg\n",
        "these are paths of a Windows machine. Write them from the manifest's own folder on: that one is 'img/a.jpg'.")]
    [InlineData("m.csv", "path\nD:/none.jpg\nD:/none2.jpg\n",
        "such as 'D:/none.jpg': these are paths of a Windows machine. Write them")]
    [InlineData("m.csv", "path\n/home/other/img/a.jpg\n",
        "'/home/other/img/a.jpg'. Write them from the manifest's own folder on: that one is 'img/a.jpg'.")]
    [InlineData("m.csv", "path\nhttps://example.com/a.jpg\n",
        "'https://example.com/a.jpg'. This is an address, and nothing is downloaded: fetch the files first")]
    [InlineData("m.csv", "path\nfile:///home/me/a.jpg\n", "Write the path alone, without file://, as in /home/me/a.jpg.")]
    [InlineData("m.csv", "path,label\n,cat\n", "none of its 1 row does: line 2: a path must stand in column 1")]
    [InlineData("m.csv", "path;label\nimg/a.jpg;cat\n",
        "must have commas between its fields, but its first line is 'path;label'")]
    [InlineData("m.csv", "name,label\nimg/a.jpg,cat\n", "none of the names path, file")]
    [InlineData("m.csv", "path,label\n\"img/a.jpg,cat\n", "line 2: a field that starts with a double quote")]
    [InlineData("m.csv", "nope.jpg,1\n", "The one file that")]
    [InlineData("m.jsonl", "\n{oops\n", "line 2: each line must be a JSON object")]
    [InlineData("m.jsonl", "{\"label\":\"cat\"}\n", "line 1: an object must have a \"path\"")]
    [InlineData("m.jsonl", "[1]\n", "line 1: each line must be a JSON object of its own")]
    public void Open_Faulty_SaysWhere(string file, string text, string expected)
    {
        _folder.Write(file, text);
        Assert.Contains(expected, Assert.Throws<DataSourceException>(() => Open(file)).Message);
    }

    [Theory]
    [InlineData("m.csv", "path,label\nimg/a.jpg,cat\nimg/\0b.jpg,cat\n", "line 3: the path holds a NUL character")]
    [InlineData("m.csv", "path,label\r\n,cat\r\n\r\nimg/a.jpg,cat\r\n",
        "line 2: a path must stand in column 1, but there is none")]
    [InlineData("m.csv", "label,path\ncat,img/a.jpg\ndog\n", "line 3: a path must stand in column 2, but there is none")]
    [InlineData("m.jsonl", "{\"path\":\"img/a.jpg\",\"label\":\"cat\"}\n{\"path\":\"\\ud800.jpg\"}\n",
        "line 2: a text holds half of a surrogate pair")]
    [InlineData("m.jsonl", "{\"path\":\"img/a.jpg\",\"label\":\"cat\"}\n[1]\n",
        "line 2: each line must be a JSON object of its own")]
    [InlineData("m.jsonl", "{\"path\":\"img/a.jpg\",\"label\":\"cat\"}\n{oops\n", "line 2: each line must be a JSON object")]
    [InlineData("m.jsonl", "{\"path\":\"img/a.jpg\",\"label\":\"cat\"}\n{\"path\":\"a\\u0000b\"}\n",
        "line 2: the path holds a NUL character")]
    public void Open_OneBadRow_IsLeftOutAndTold(string file, string text, string expected)
    {
        _folder.Write(file, text);
        var source = Open(file);
        Assert.Equal(["img/a.jpg=cat"], Entries(source));
        Assert.Contains("1 row of", Assert.Single(source.Notes));
        Assert.Contains("is left out: " + expected, source.Notes[0]);
    }

    [Fact]
    public void Open_RowsThatAreNotUtf8OrTooLong_AreCounted()
    {
        byte[] text = [.. "path,label\nimg/a.jpg,cat\nimg/caf"u8, 0xe9, .. ".jpg,cat\nimg/b.jpg,"u8,
            .. Enumerable.Repeat((byte)'x', 5000), .. "\n"u8];
        _folder.Write("m.csv", text);
        var source = Open("m.csv");
        Assert.Equal(["img/a.jpg=cat"], Entries(source));
        Assert.Contains("2 rows of", source.Notes[0]);
        Assert.Contains(
            "line 3: the path is not UTF-8: save the file as UTF-8; line 4: the label has 5000 characters, more than 1000",
            source.Notes[0]);
    }

    [Fact]
    public void Open_LabelledFolder_JoinsByPathNameAndStem()
    {
        _folder.Write("img/labels.csv", "path,label\na.jpg,cat\nc,dog\nsub/none.jpg,dog\n");
        var source = Open("img@labels.csv");
        Assert.Equal(["img/a.jpg=cat", "img/b.jpg=?", "img/sub/c.jpg=dog", "img/x, y.jpg=?"], Entries(source));
        Assert.Equal(2, source.Notes.Count);
        Assert.Contains("1 of the 3 names", source.Notes[0]);
        Assert.Contains("such as 'sub/none.jpg'", source.Notes[0]);
        Assert.Contains("2 of 4 images have no label", source.Notes[1]);
    }

    [Fact]
    public void Open_LabelledFolderAmbiguousName_IsNotGuessed()
    {
        _folder.Write("img/sub/a.jpg", "x");
        _folder.Write("l.csv", "path,label\na,cat\nb.jpg,dog\n");
        Assert.Equal(["img/a.jpg=?", "img/b.jpg=dog"],
            Entries(ImageSources.Open($"{_folder.At("img")}@{_folder.At("l.csv")}", new DataOptions()))[..2]);
    }

    [Fact]
    public void Open_LabelsThatFitNoImage_ShowOneOfEach()
    {
        _folder.Write("img/labels.csv", "path,label\nq.jpg,cat\n");
        Assert.Contains("it names 'q.jpg', while the folder holds 'a.jpg'",
            Assert.Throws<DataSourceException>(() => Open("img@labels.csv")).Message);
    }

    [Fact]
    public void Open_LabelsOfPathsWithoutEndings_AreFound()
    {
        _folder.Write("l.csv", "path,label\nsub/c,cat\nb,dog\n");
        Assert.Equal(["img/a.jpg=?", "img/b.jpg=dog", "img/sub/c.jpg=cat"], Entries(Open("img@" + _folder.At("l.csv")))[..3]);
    }

    [Theory]
    [InlineData("m.csv", "path,label\nimg/sub,cat\n", "is a folder, 'img/sub', not an image: list the images in it one by one")]
    [InlineData("m.csv", "path,label\nfashion-mnist:sample#7,cat\n",
        "which is an image within a source: give that source itself, fashion-mnist:sample,")]
    [InlineData("m.xlsx.csv", "PK\u0003\u0004xl/workbook.xml", "Save the list as .csv, in Excel as CSV UTF-8.")]
    [InlineData("m.jsonl", "{\"Photo\":\"img/a.jpg\",\"label\":\"cat\"}\n",
        "an object must have a \"path\", but has \"Photo\", \"label\"")]
    [InlineData("m.csv", "path,label\ndata:image/png;base64,iVBORw0KGgo,cat\n",
        "line 2: holds an image itself, in base64, which is not read from a list")]
    [InlineData("m.csv", "path,path,label\nimg/a.jpg,x,cat\n", "has 2 columns 'path' in its first line")]
    [InlineData("m.jsonl", "{\"path\":\"img/a.jpg\",\"label\":[\"cat\",\"animal\"]}\n",
        "line 1: its \"label\" is a list, but an image has one label")]
    [InlineData("m.jsonl", "{\"path\":\"img\\a.jpg\"}\n{\"path\":\"img\\c.jpg\"}\n",
        "lines 1, 2: a \\ in a JSON text is doubled")]
    [InlineData("m.jsonl", "[\n{},\n{},\n{},\n]\n", "lines 1, 2, 3, ...: each line must be a JSON object of its own")]
    public void Open_ListsThatGoWrong_AreToldWhatToWrite(string file, string text, string expected)
    {
        _folder.Write(file, text);
        Assert.Contains(expected, Assert.Throws<DataSourceException>(() => Open(file)).Message);
    }

    [Fact]
    public void Open_RowsWiderThanTheHeader_AreTold()
    {
        _folder.Write("m.csv", "path,label\nimg/a.jpg,cat, tame\nimg/b.jpg,cat\n");
        Assert.Equal("1 row of '" + _folder.At("m.csv") + "' has more fields than its first line, such as line 2: "
            + "what is behind is not used. A path or label with a comma goes in double quotes.",
            Assert.Single(Open("m.csv").Notes));
    }

    [Fact]
    public void Open_ManifestAheadOfAFolder_IsASourceAlone()
    {
        _folder.Write("m.csv", "path,label\nimg/a.jpg,cat\n");
        Assert.EndsWith($"Give {_folder.At("m.csv")} alone.",
            Assert.Throws<DataSourceException>(() => Open("m.csv@" + _folder.At("img"))).Message);
    }

    [Fact]
    public void Open_JsonlWithCapitals_IsRead()
    {
        _folder.Write("m.jsonl", "{\"Path\":\"img/a.jpg\",\"Label\":\"cat\"}\n");
        Assert.Equal(["img/a.jpg=cat"], Entries(Open("m.jsonl")));
    }

    [Fact]
    public void Open_AnswersThatWereNotAccepted_AreTold()
    {
        _folder.Write("m.csv", "path,class,accepted,probability\nimg/a.jpg,cat,true,0.9\nimg/b.jpg,dog,false,0.4\n");
        Assert.StartsWith("1 row of", Assert.Single(Open("m.csv").Notes));
    }

    [Fact]
    public void Open_LabelsBehindTabs_AsksForCommas()
    {
        _folder.Write("l.tsv", "a.jpg\tcat\nb.jpg\tdog\n");
        Assert.Contains("must have commas between its fields",
            Assert.Throws<DataSourceException>(() => Open("img@" + _folder.At("l.tsv"))).Message);
    }

    [Fact]
    public void Open_ListAheadOfTheFolder_IsTurnedRound()
    {
        _folder.Write("l.csv", "path,label\na.jpg,cat\n");
        Assert.EndsWith($"Write {_folder.At("img")}@{_folder.At("l.csv")}",
            Assert.Throws<DataSourceException>(() => Open("l.csv@" + _folder.At("img"))).Message);
    }

    [Fact]
    public void Open_NoColumnOfLabels_SaysHowToNameIt()
    {
        _folder.Write("img/labels.csv", "filename,category\na.jpg,cat\n");
        Assert.Contains("name the column of the labels 'label' or 'class'",
            Assert.Throws<DataSourceException>(() => Open("img@labels.csv")).Message);
    }

    [Fact]
    public void Open_BackslashesInPaths_AreReadAsSlashes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There they are what separates names.");
        _folder.Write("m.csv", "path,label\nimg\\a.jpg,cat\nimg\\sub\\c.jpg,dog\nimg/b.jpg,dog\nimg\\gone.jpg,cat\n");
        var source = Open("m.csv");
        Assert.Equal(["img/a.jpg=cat", "img/sub/c.jpg=dog", "img/b.jpg=dog", "img\\gone.jpg=cat"], Entries(source));
        Assert.StartsWith("2 of 4 paths of", Assert.Single(source.Notes));
        Assert.EndsWith("have backslashes, as on Windows: they are read as /.", source.Notes[0]);
    }

    [Theory]
    [InlineData("sep=,\r\npath,label\r\nimg/a.jpg,cat\r\nimg/b.jpg,dog\r\n")]
    [InlineData("\uFEFF\"sep=,\"\npath,label\nimg/a.jpg,cat\nimg/b.jpg,dog\n")]
    public void Open_SeparatorOfASpreadsheet_IsSkipped(string text)
    {
        _folder.Write("m.csv", text);
        Assert.Equal(["img/a.jpg=cat", "img/b.jpg=dog"], Entries(Open("m.csv")));
    }

    [Theory]
    [InlineData("m.csv", "file_name,text\nimg/a.jpg,cat\n",
        "its column 'text' is not used. If it holds the labels, call it 'label' or 'class'.")]
    [InlineData("m.csv", ",path,Width,height\n0,img/a.jpg,3,4\n",
        "its columns 'Width', 'height' are not used. If one of them holds")]
    [InlineData("m.jsonl", "{\"file_name\":\"img/a.jpg\",\"category\":\"cat\"}\n", "its column 'category' is not used")]
    public void Open_ColumnsThatAreNotUsed_AreToldWhereThereAreNoLabels(string file, string text, string expected)
    {
        _folder.Write(file, text);
        Assert.Contains(expected, Assert.Single(Open(file).Notes));
    }

    [Theory]
    [InlineData("Cat,cat,dog,dog", "The labels 'Cat' and 'cat' differ only in capitals or spaces. Each is a class of its own")]
    [InlineData("Cat,cat,Dog,dog", "differ only in capitals or spaces, as in 1 other case. ")]
    [InlineData("unsorted,cat,cat,dog,dog",
        "'unsorted' is a class of its own. Where its images have no label yet, move them away")]
    [InlineData("nan,cat,cat,dog,dog", "'nan' is a class of its own, but programs write that where there is no label")]
    [InlineData("K\u00e4fer,Ka\u0308fer,Hund,Hund", "differ only in the way an accent is stored")]
    [InlineData("0.1,0.25,3.5,4,5.5,6,7,8,9,10.5",
        "Every one of the 10 images with a label is a class of its own: these look like measurements")]
    [InlineData("1,2,3,4,5,6,7,8,9,10,10,11",
        "12 images have 11 different labels: these look like numbers of the images, or measurements")]
    [InlineData("a,b,c,d,e,f,g,h,i,j", "these look like names of the images, or texts")]
    public void Open_LabelsThatLookWrong_AreTold(string labels, string expected)
    {
        string[] all = labels.Split(',');
        foreach (int i in Enumerable.Range(0, all.Length)) _folder.Write($"{i}.jpg", "x");
        _folder.Write("m.csv", "path,label\n" + string.Concat(all.Select((label, i) => $"{i}.jpg,{label}\n")));
        Assert.Contains(expected, Assert.Single(Open("m.csv").Notes));
    }
}
