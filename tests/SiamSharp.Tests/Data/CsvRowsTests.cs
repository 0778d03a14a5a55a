using CsCheck;
using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class CsvRowsTests
{
    private static readonly Gen<string> Field = Gen.Char["ab,\"\r\n é"].Array[0, 6].Select(c => new string(c));

    [Fact]
    public void Parse_AnyFieldsQuoted_GivesThemBack() =>
        Field.Array[1, 4].Array[1, 5].Sample(rows =>
        {
            string text = string.Join("\r\n",
                rows.Select(r => string.Join(',', r.Select(f => $"\"{f.Replace("\"", "\"\"")}\""))));
            var kept = rows.Where(r => r.Length > 1 || r[0].Length > 0);
            Assert.Equal(kept, CsvRows.Parse("f", text).Select(r => r.Fields));
        });

    [Fact]
    public void Quote_AnyText_IsNoFormulaAndComesBack() =>
        Gen.Char["=+-@\t\r'a,\"\n "].Array[0, 6].Select(c => new string(c)).Sample(text =>
        {
            string field = CsvRows.Quote(text);
            Assert.DoesNotContain(field.Skip(field.StartsWith('"') ? 1 : 0).FirstOrDefault('a'), "=+-@\t\r");
            Assert.Equal(text, CsvRows.Parse("f", $"x,{field}\n")[0].Fields[1]);
        });

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("-1", "'-1")]
    [InlineData("'quoted'", "'quoted'")]
    [InlineData("'=1", "''=1")]
    public void Quote_Formulas_GetAnApostrophe(string text, string field) => Assert.Equal(field, CsvRows.Quote(text));

    [Fact]
    public void Parse_LineBreaksWithinFields_StillCountLines() =>
        Assert.Equal([1, 3, 5], CsvRows.Parse("f", "a,\"x\ny\"\nb\n\nc").Select(r => r.Line));
}
