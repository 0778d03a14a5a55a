using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam options</c>: everything that --set can change, with value, range and meaning.</summary>
internal static partial class OptionsCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var part = new Argument<string?>("PART")
        {
            Description = "Show only the options that start with this, such as training or views.highPass.",
            Arity = ArgumentArity.ZeroOrOne
        };
        Option<string> recipe = CommonOptions.Recipe();
        Option<string[]> set = CommonOptions.Set();
        var command =
            new Command("options", "List the options that --set can change, with values, ranges and meanings.")
            {
                part, recipe, set
            };
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            // The embedded images stand for the user's: 28 px, grey.
            Recipe resolved = RecipeFiles.Resolve(parsed.GetValue(recipe), parsed.GetValue(set)!,
                options => ImageSources.Open("fashion-mnist:sample", options));
            Dictionary<string, string> documents = Documents();
            var options = OptionListing.Describe(resolved)
                .Where(o => parsed.GetValue(part) is not { } prefix || o.Path.StartsWith(prefix, StringComparison.Ordinal))
                .Select(o => new
                {
                    path = o.Path,
                    value = o.Value,
                    allowed = o.Allowed,
                    meaning = documents.GetValueOrDefault(KeyOf(o), "")
                }).ToList();
            if (options.Count == 0)
            {
                string asked = parsed.GetValue(part)!;
                string[] paths = [.. OptionListing.Describe(resolved).Select(o => o.Path)];
                if (TooFar(asked, paths) is { } far) throw new OptionsException([new Fault(asked, far)]);
                if (OptionListing.PartOfKind(typeof(Recipe), asked) is { } whole)
                    throw new OptionsException([new Fault(asked,
                        $"this is a kind of {whole}, whose options are listed by: siam options {whole} --set {whole}={asked}")]);
                if (OptionListing.KindsWith(typeof(Recipe), asked) is { Length: > 0 } kinds)
                    throw new OptionsException([new Fault(asked,
                        $"only {string.Join(", ", kinds)} {(kinds.Length == 1 ? "has" : "have")} it: "
                            + $"siam options {asked} --set {asked.Split('.')[0]}={kinds[0]}")]);
                string? near = Nearest.To(asked, paths.Concat(paths.Select(p => p.Split('.')[0])).Distinct())
                    ?? OptionListing.PathTo(typeof(Recipe), asked.Split('.')[^1]);
                throw new OptionsException([new Fault(asked,
                    $"no option starts so{(near is null ? "" : $"; did you mean {near}?")} `siam options` lists all"
                        .Replace("so `", "so; `", StringComparison.Ordinal))]);
            }
            screen.Result(options, console =>
            {
                console.MarkupLine("[dim]The values shown are for grey images of 28 px. "
                    + "Some depend on your images (size, channels, mask cells, filter); recipe.json of a run has yours.[/]");
                foreach (var option in options)
                {
                    console.MarkupLine($"[bold]{Markup.Escape(option.path)}[/] = {Markup.Escape(option.value)}"
                        + (option.allowed.Length > 0 ? $"   [dim]({Markup.Escape(option.allowed)})[/]" : ""));
                    if (option.meaning.Length > 0) console.Write(new Padder(new Text(option.meaning), new Padding(4, 0, 0, 0)));
                }
            });
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>That a number in a path is behind the last of its list; null where it is not.</summary>
    private static string? TooFar(string asked, string[] paths)
    {
        string[] parts = asked.Split('.');
        for (int i = 1; i < parts.Length; i++)
        {
            string list = string.Join('.', parts[..i]);
            if (!int.TryParse(parts[i], out int index) || !paths.Any(p => p.StartsWith($"{list}.0", StringComparison.Ordinal)))
                continue;
            int count = 1;
            while (paths.Any(p => p.StartsWith($"{list}.{count}.", StringComparison.Ordinal))) count++;
            if (index < 0 || index >= count)
                return $"{list} has {(count == 1 ? "one part, 0" : $"{count} parts, 0 to {count - 1}")}: "
                    + $"`siam options {list}` lists {(count == 1 ? "it" : "them")}";
        }
        return null;
    }

    private static string KeyOf(OptionDescription option) => option.Member is PropertyInfo property
        ? $"P:{property.DeclaringType!.FullName}.{property.Name}"
        : $"T:{option.Owner.FullName}";

    /// <summary>The summaries of the library's documentation file, in plain words, by member.</summary>
    private static Dictionary<string, string> Documents()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "SiamSharp.xml");
        if (!File.Exists(file)) return [];
        return XDocument.Load(file).Descendants("member").ToDictionary(m => (string)m.Attribute("name")!,
            m => $"{Plain(m.Element("summary"))} {Differences(m.Element("remarks"))}".Trim());
    }

    /// <summary>What the remarks say of differences from the authors' code, which they end with.</summary>
    private static string Differences(XElement? remarks) =>
        Plain(remarks) is var text && text.IndexOf("Differences: ", StringComparison.Ordinal) is >= 0 and var start
            ? text[start..] : "";

    private static string Plain(XElement? summary) =>
        summary is null ? "" : Spaces().Replace(string.Concat(summary.Nodes().Select(node => node switch
        {
            XElement { Name.LocalName: "see" } see => NameOf((string?)see.Attribute("cref") ?? ""),
            XElement element => element.Value,
            _ => node.ToString(),
        })), " ").Trim();

    /// <summary>A property as --set writes it, anything else by its name.</summary>
    private static string NameOf(string member) => member.Split('.')[^1] is var name
        && member.StartsWith("P:", StringComparison.Ordinal) && name.Length > 0
        ? char.ToLowerInvariant(name[0]) + name[1..]
        : name;

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
