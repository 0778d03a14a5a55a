using System.Text.Json;
using SiamSharp.Evaluation;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Studies;
using Xunit;

namespace SiamSharp.Tests.Studies;

public sealed class StudyTableTests
{
    private static readonly Study s_study = new()
    {
        Seeds = [1, 2, 3],
        Rows = [new StudyRow { Name = "first" }, new StudyRow { Name = "second" },
            new StudyRow { Name = "third", Against = "first" }],
    };

    private static (StudyRun, IReadOnlyList<Score>) Run(string row, int seed, double knn, double rank, double? untrained = null)
    {
        Score Of(string encoder, double value) =>
            new() { Protocol = "knn", K = 20, Encoder = encoder, Seed = seed, Value = value };
        var scores = new List<Score>
        {
            Of("pretrained", knn), new() { Protocol = "rankme", Metric = "rankme", Encoder = "pretrained", Value = rank }
        };
        if (untrained is double u) scores.AddRange(Of("untrained", u), Of("pixels", 0.8));
        return (new StudyRun(row, seed, new Recipe()), scores);
    }

    private static StudyTable Table() => StudyTable.Of(s_study,
    [
        Run("first", 1, 0.50, 10, untrained: 0.3), Run("second", 1, 0.60, 30), Run("third", 1, 0.55, 20),
        Run("first", 2, 0.52, 10, untrained: 0.4), Run("second", 2, 0.64, 30), Run("third", 2, 0.53, 20),
        Run("first", 3, 0.54, 10, untrained: 0.5), Run("second", 3, 0.62, 30), // third is not done with seed 3
    ]);

    [Fact]
    public void Of_Runs_GivesMeansSpreadsAndPairedGains()
    {
        StudyTable table = Table();
        Assert.Equal(["k-NN (k 20)", "RankMe"], table.Columns);
        Assert.Equal(["pixels", "untrained", "first", "second", "third"], table.Rows.Select(r => r.Name));
        StudyCell[] knn = [.. table.Rows.Select(r => r.Cells[0]!)];
        Assert.Equal([0.8, 0.4, 0.52, 0.62, 0.54], knn.Select(c => Math.Round(c.Mean, 12)));
        Assert.Equal([0, 0.1, 0.02, 0.02, 0.014142], knn.Select(c => Math.Round(c.Std, 6)));
        Assert.Equal([3, 3, 3, 3, 2], knn.Select(c => c.Runs));

        // Gains of 0.10, 0.12 and 0.08: deviation 0.02, of which t(2) / sqrt 3 = 2.484; and of 0.05 and 0.01 over the first row.
        Assert.Equal((0.1, 0.0497, true),
            (Math.Round(knn[3].Gain!.Value, 12), Math.Round(knn[3].GainCi95!.Value, 4), knn[3].GainIsCertain));
        Assert.Equal((0.03, 0.2541, false),
            (Math.Round(knn[4].Gain!.Value, 12), Math.Round(knn[4].GainCi95!.Value, 4), knn[4].GainIsCertain));
        Assert.Null(knn[2].Gain);
        Assert.Equal(1, table.RankCorrelations["k-NN (k 20)"], 1e-12);
        Assert.Null(table.Rows[3].Cells[1]!.Gain);
    }

    [Fact]
    public void ToMarkdown_Runs_MarksWhatIsCertain()
    {
        string[] lines = Table().ToMarkdown().Split('\n');
        Assert.Equal("| second | 0.620 (0.020); **+0.100** ±0.050 | 30.0 |", lines[5]);
        Assert.Equal("| third | 0.540 (0.014); +0.030 ±0.254 | 20.0 |", lines[6]);
        Assert.Equal("| pixels | 0.800 |  |", lines[2]);
        Assert.Contains("third against first", lines[8]);
        Assert.DoesNotContain("second against", lines[8]);
    }

    [Theory]
    [InlineData(-0.0004, "0.500; +0.000")]
    [InlineData(-0.0006, "0.500; -0.001")]
    [InlineData(0.0123, "0.500; +0.012")]
    public void Text_GainRoundedToNothing_HasOneSign(double gain, string expected) =>
        Assert.Equal(expected, new StudyCell(1, 0.5, 0) { Gain = gain }.Text());

    [Fact]
    public void Of_RowsEqualInAColumn_CanBeWritten()
    {
        StudyTable table = StudyTable.Of(s_study, [.. from row in new[] { "first", "second", "third" }
                                                      from seed in new[] { 1, 2, 3 }
                                                      select Run(row, seed, 0.5, 10 + row.Length)]);
        Assert.DoesNotContain("k-NN (k 20)", table.RankCorrelations.Keys);
        StudyCell cell = table.Rows[3].Cells[0]!;
        Assert.Equal((0.0, 0.0, false), (cell.Gain!.Value, cell.GainCi95!.Value, cell.GainIsCertain));
        Assert.DoesNotContain("NaN", table.ToMarkdown());
        Assert.Equal(table.ToMarkdown(), JsonSerializer.Deserialize<StudyTable>(
            JsonSerializer.Serialize(table, OptionsJson.Serializer), OptionsJson.Serializer)!.ToMarkdown());
    }

    [Fact]
    public void Of_OneSeedAndMissingOrEndlessValues_CanBeWritten()
    {
        StudyTable table = StudyTable.Of(s_study,
            [Run("first", 1, 0.5, 10), Run("second", 1, double.NaN, double.PositiveInfinity), Run("third", 1, 0.6, 12)]);
        Assert.Null(table.Rows[3].Cells[0]);
        Assert.Equal((0.1, (double?)null),
            (Math.Round(table.Rows[4].Cells[0]!.Gain!.Value, 12), table.Rows[4].Cells[0]!.GainCi95));
        Assert.DoesNotContain("NaN", JsonSerializer.Serialize(table, OptionsJson.Serializer));
    }

    [Fact]
    public void Of_GainsThatAreEqualInAllSeeds_AreNotCalledCertain() => Assert.False(
        StudyTable.Of(s_study, [Run("first", 1, 0.5, 9), Run("second", 1, 0.52, 9), Run("first", 2, 0.6, 9),
            Run("second", 2, 0.62, 9)]).Rows[3].Cells[0]!.GainIsCertain);

    [Fact]
    public void Of_AgainstAnotherSpellingOfARow_IsThatRow()
    {
        var study = new Study
        {
            Seeds = [1],
            Rows = [new StudyRow { Name = "A b" }, new StudyRow { Name = "c" }, new StudyRow { Name = "d", Against = "a-b" }]
        };
        StudyTable table = StudyTable.Of(study, [Run("A b", 1, 0.5, 10), Run("c", 1, 0.7, 10), Run("d", 1, 0.6, 10)]);
        Assert.Equal(("A b", 0.1), (table.Rows[^1].Against, Math.Round(table.Rows[^1].Cells[0]!.Gain!.Value, 12)));
    }

    [Fact]
    public void Of_RunsFromAFile_NameItAndNotAnUntrainedEncoder()
    {
        var (run, scores) = Run("first", 1, 0.5, 10);
        StudyTable table = StudyTable.Of(s_study, [(run, [.. scores,
            new Score { Protocol = "knn", K = 20, Encoder = "start", Start = "x/imagenet.pth", Seed = 1, Value = 0.4 }])]);
        Assert.Equal(("start (imagenet.pth)", 0.4), (table.Rows[1].Name, table.Rows[1].Cells[0]!.Mean));
    }

    [Fact]
    public void Of_TestImagesThatWereLearnedFrom_AreToldInTheTable()
    {
        var (run, scores) = Run("first", 1, 0.5, 10);
        StudyTable table = StudyTable.Of(s_study,
            [(run, [.. scores.Select(s => s with { TestInTrain = 28, TestCount = 100, Notes = ["A note."] })])]);
        Assert.Equal(["28 of 100 test images are among the training images too: the scores are flattered. "
            + "Leave them out of one of the two.", "A note."], table.Notes);
        Assert.Contains("\nNote: 28 of 100 test images", table.ToMarkdown());
        Assert.Equal(table.Notes, JsonSerializer.Deserialize<StudyTable>(JsonSerializer.Serialize(table, OptionsJson.Serializer),
            OptionsJson.Serializer)!.Notes);
        Assert.Empty(Table().Notes);
    }

    [Fact]
    public void Of_NoRun_HasNoColumns() => Assert.Empty(StudyTable.Of(s_study, []).Columns);

    [Fact]
    public void Write_Table_DrawsItsDots()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("plot").FullName, "plot.png");
        StudyPlot.Write(Table(), path);
        using var picture = SkiaSharp.SKBitmap.Decode(path);
        Assert.Equal((960, 280), (picture.Width, picture.Height));
        // five dots in steel blue
        Assert.InRange(picture.Pixels.Count(p => p == new SkiaSharp.SKColor(0x46, 0x82, 0xB4)), 5 * 40, 5000);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }
}
