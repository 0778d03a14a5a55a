using System.CommandLine;
using SiamSharp.Cli;
using SiamSharp.Cli.Terminal;
using Xunit;

namespace SiamSharp.Tests.Cli;

/// <summary>What <c>--help</c> says.</summary>
public sealed class HelpTests
{
    public static TheoryData<string> Commands => [.. All(Root(), "siam").Select(c => c.Typed)];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Help_OfACommand_EndsWithAnExampleThatCanBeRead(string command)
    {
        var output = new StringWriter();
        Assert.Equal(0, await Siam.RunAsync([.. command.Split(' ')[1..], "--help"], output, TextWriter.Null));

        string[] examples =
            [.. output.ToString().Split('\n').SkipWhile(line => !line.StartsWith("Example", StringComparison.Ordinal)).Skip(1)
                .Select(line => line.Trim()).Where(line => line.Length > 0)];
        Assert.NotEmpty(examples);
        foreach (string example in examples)
        {
            ParseResult parsed = Root().Parse(example.Split(' ')[1..]);
            Assert.Empty(parsed.Errors);
            Assert.StartsWith(command, Usage.CommandLine(parsed.CommandResult), StringComparison.Ordinal);
            if (parsed.GetResult("--recipe") is not null)
                Assert.Contains(parsed.GetValue<string>("--recipe"), RecipeFiles.Names());
        }
    }

    private static RootCommand Root() => Siam.Root(_ => new Screen(TextWriter.Null, TextWriter.Null, json: false));

    private static IEnumerable<(Command Command, string Typed)> All(Command command, string typed) =>
        command.Subcommands.SelectMany(sub => All(sub, $"{typed} {sub.Name}")).Prepend((command, typed));
}
