using System.CommandLine;
using SiamSharp.Cli.Terminal;
using SiamSharp.Interop.Onnx;
using SiamSharp.Recipes;
using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam export onnx|safetensors</c>: the encoder of a run as a file that other programs load.</summary>
internal static class ExportCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf) => new("export", "Write a run's encoder for other programs.")
    {
        Onnx(screenOf),
        SafeTensors(screenOf),
    };

    private static Option<string> Out(string what) => new("--out") { Description = what, HelpName = "FILE", Required = true };

    private static Command Onnx(Func<ParseResult, Screen> screenOf)
    {
        var run = new Option<string>("--run") { Description = "The run whose encoder is written.", HelpName = "DIR" };
        var model = new Option<string>("--classifier") { Description = "Instead of --run: what `siam classify fit` wrote; the model then has a second output, probabilities (N, K).", HelpName = "FILE" };
        Option<string> file = Out("The model, .onnx.");
        var white = new Option<double>("--white") { Description = "Value of a white pixel: 255 for 8 bits, 65535 for 16 bits, 1 for pixels from 0 to 1.", DefaultValueFactory = _ => 255 };
        white.Validators.Add(result =>
        {
            if (!(result.GetValueOrDefault<double>() > 0)) result.AddError("--white must be more than 0: 255 for pixels of 8 bits.");
        });
        var fold = new Option<bool>("--fold-batch-norm") { Description = "Multiply batch normalisations into the convolutions ahead of them." };
        var command = new Command("onnx", "Preprocessing and backbone as one ONNX model: pixels (N, C, H, W) in, representations (N, D) out.") { run, model, file, white, fold };
        command.SetAction((parsed, _) =>
        {
            string path = CommonOptions.Output(parsed.GetValue(file)!, ".onnx");
            var options = new OnnxOptions { White = parsed.GetValue(white), FoldBatchNorm = parsed.GetValue(fold) };
            double difference;
            switch (parsed.GetValue(run), parsed.GetValue(model))
            {
                case ({ } folder, null):
                    using (Encoder encoder = Encoder.Load(new RunFolder(folder).Encoder)) difference = OnnxExport.Write(path, encoder, options);
                    break;
                case (null, { } classifierFile):
                    using (Classifier classifier = Classifier.Load(classifierFile)) difference = OnnxExport.Write(path, classifier, options);
                    break;
                default: throw new RecipeException([new Fault("--run", "give either --run DIR or --classifier FILE")]);
            }
            screenOf(parsed).Result(new { file = path, difference }, console =>
            {
                console.WriteLine($"Model: {path}");
                console.WriteLine($"ONNX Runtime's answers differ from libtorch's by {difference:0.0e+0} of their norm.");
            });
            return Task.FromResult(0);
        });
        return command;
    }

    private static Command SafeTensors(Func<ParseResult, Screen> screenOf)
    {
        Option<string> run = CommonOptions.Run(), file = Out("The weights, .safetensors.");
        var command = new Command("safetensors", "The backbone's weights with torchvision's names; preprocessing in the metadata.") { run, file };
        command.SetAction((parsed, _) =>
        {
            string path = CommonOptions.Output(parsed.GetValue(file)!, ".safetensors");
            new RunFolder(parsed.GetValue(run)!).CopyEncoder(path);
            screenOf(parsed).Result(new { file = path }, console => console.WriteLine($"Weights: {path}"));
            return Task.FromResult(0);
        });
        return command;
    }
}
