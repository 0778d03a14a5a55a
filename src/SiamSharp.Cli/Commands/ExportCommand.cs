using System.CommandLine;
using System.Globalization;
using SiamSharp.Cli.Terminal;
using SiamSharp.Export;
using SiamSharp.Options;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam export onnx|safetensors</c>: the encoder of a run as a file that other programs load.</summary>
internal static class ExportCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf) => new("export",
        "Write a run's encoder to a file that other programs can read.")
    {
        Onnx(screenOf),
        SafeTensors(screenOf),
    };

    /// <summary>The encoder of a run, or of a folder that holds nothing else: its file says all that is needed here.</summary>
    private static Encoder EncoderOf(Screen screen, RunFolder folder) =>
        folder.HasRecipe ? folder.ReadEncoder(out _, screen.Notes) : folder.LoadEncoder();

    private static Option<string> Out(string what) => new("--out") { Description = what, HelpName = "FILE", Required = true };

    private static Command Onnx(Func<ParseResult, Screen> screenOf)
    {
        var run = new Option<string>("--run") { Description = "Folder of the run whose encoder is written.", HelpName = "DIR" };
        var model = new Option<string>("--classifier")
        {
            Description =
                "Instead of --run: the classifier file that `siam classify fit` wrote. The model then has a second output, "
                + "probabilities (N, K).",
            HelpName = "FILE"
        };
        Option<string> file = Out("The file to write, .onnx.");
        var white = NumberOptions.Real("--white", "The value of a white pixel in what you will give the model: 255 for 8 bits, "
            + "65535 for 16 bits, 1 for pixels from 0 to 1. Without it: that of the images that the encoder was trained on.",
            x => x > 0, "above 0", otherwise: null);
        var fold = new Option<bool>("--fold-batch-norm")
        {
            Description = "Merge each batch normalisation into the convolution ahead of it."
        };
        var command = new Command("onnx",
            "Write preprocessing and backbone as one ONNX model: pixels (N, C, H, W) go in, vectors (N, D) come out.")
        {
            run, model, file, white, fold
        };
        command.SetAction((parsed, _) =>
        {
            Screen screen = screenOf(parsed);
            string path = Outputs.File(parsed.GetValue(file)!, OutputKind.Onnx, [], [parsed.GetValue(model)]);
            var options = new OnnxOptions { White = parsed.GetValue(white), FoldBatchNorm = parsed.GetValue(fold) };
            double difference;
            Input about;
            switch (parsed.GetValue(run), parsed.GetValue(model))
            {
                case ({ } folder, null):
                    using (Encoder encoder = EncoderOf(screen, new RunFolder(folder)))
                        (difference, about) = (OnnxExport.Write(path, encoder, options), Input.Of(encoder, options));
                    break;
                case (null, { } classifierFile):
                    using (Classifier classifier = Classifier.Load(classifierFile))
                        (difference, about) = (classifier.ExportOnnx(path, options), Input.Of(classifier.Encoder, options));
                    break;
                case (null, null): throw new OptionsException([new Fault("--run", "give either --run DIR or --classifier FILE")]);
                default:
                    throw new OptionsException([new Fault("--run", "leave out either --run, which exports the encoder, "
                        + "or --classifier, which exports the classifier together with its encoder")]);
            }
            if (about.Note is { } note) screen.Warn(note);
            screen.Result(new { file = path, difference, white = about.White, trainedWhite = about.Trained }, console =>
            {
                console.WriteLine($"Model: {path}");
                console.WriteLine($"Input: pixels, float32 (N, {about.Channels}, {about.Size}, {about.Size}), "
                    + $"from 0 to {about.White.ToString("R", CultureInfo.InvariantCulture)}"
                    + (about.Trained == about.White ? ", as in the images of the run." : "."));
                console.WriteLine($"ONNX Runtime's answers differ from libtorch's by {difference:0.0e+0} of their norm.");
            });
            screen.Say("For your program: samples/OnnxRuntimeSample, and docs/GETTING-STARTED.md for ML.NET.");
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>What a model takes.</summary>
    private sealed record Input(int Channels, int Size, double White, double? Trained)
    {
        public static Input Of(Encoder encoder, OnnxOptions options) =>
            new(encoder.Channels, encoder.Size, options.WhiteFor(encoder), encoder.White);

        /// <summary>Where the range is not that of the images of the run, what is to be done.</summary>
        public string? Note => Trained is null
            ? "It is not known how the values of the run's images were scaled (they had several depths, "
                + $"or an earlier version wrote the run): pixels from 0 to {Number(White)} are expected. "
                + "For images of 16 bits give --white 65535, or scale the pixels to 0 to 1 and give --white 1."
            : Trained != White ? $"The images of the run had {Number(Trained.Value)} for white, and this model takes "
                + $"{Number(White)}: scale pixels by {Number(White)} / {Number(Trained.Value)} before they go in." : null;

        private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
    }

    private static Command SafeTensors(Func<ParseResult, Screen> screenOf)
    {
        Option<string> run = CommonOptions.Run(), file = Out("The file to write, .safetensors.");
        var command =
            new Command("safetensors",
                "Write the backbone's weights under torchvision's names. "
                + "The metadata of the file says how images are preprocessed.")
            {
                run, file
            };
        command.SetAction((parsed, _) =>
        {
            var folder = new RunFolder(parsed.GetValue(run)!);
            string path = Outputs.File(parsed.GetValue(file)!, OutputKind.Encoder, [], [folder.EncoderPath]);
            Screen screen = screenOf(parsed);
            EncoderOf(screen, folder).Dispose();
            folder.CopyEncoder(path);
            screen.Result(new { file = path }, console => console.WriteLine($"Weights: {path}"));
            screen.Say("For your program: Encoder.Load of the library, or torchvision, "
                + "whose names the weights have (docs/PRODUCTION.md).");
            return Task.FromResult(0);
        });
        return command;
    }
}
