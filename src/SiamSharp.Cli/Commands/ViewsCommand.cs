using System.CommandLine;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Reporting;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam views</c>: what the network sees, on one sheet.</summary>
internal static class ViewsCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        Option<string> data = CommonOptions.Data("The images: a folder, or another source (docs/DATA.md).");
        var output =
            new Option<string>("--out") { Description = "The picture to write.", HelpName = "FILE.png", Required = true };
        Option<string> recipeName = CommonOptions.Recipe();
        Option<string[]> set = CommonOptions.Set();
        var command = new Command("views",
            "Draw on one sheet what the network sees: the images, the filtered images, masks and views.")
        {
            data, output, recipeName, set
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            string path = Outputs.File(parsed.GetValue(output)!, OutputKind.Sheet, [parsed.GetValue(data)],
                [parsed.GetValue(recipeName)]);
            var (recipe, source) = Loading.Open(parsed.GetValue(data)!, parsed.GetValue(recipeName), parsed.GetValue(set)!);
            ImageDataset images = Loading.Load(screen, source, recipe.Data, null, cancellationToken);
            Pretraining.CheckRange(recipe, images);
            ViewSheet.Write(path, images, recipe.Views,
                images.Measure(recipe.Views.HighPass, cancellationToken: cancellationToken), (ulong)recipe.Training.Seed);
            screen.Result(new { file = path }, console => console.WriteLine($"Views of {images.Name}: {path}"));
            screen.Next($"siam pretrain --data {Shell.Word(parsed.GetValue(data)!)} "
                + $"--recipe {Shell.Word(parsed.GetValue(recipeName) ?? "simclr")} "
                + $"--out {QuickstartCommand.FreeFolder("mine")}{DataCommand.Again(parsed.GetValue(set)!)}");
            return Task.FromResult(0);
        });
        return command;
    }
}
