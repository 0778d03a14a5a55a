using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.Json;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Options;

namespace SiamSharp;

/// <summary>The answer for one image.</summary>
/// <param name="Path">Where it comes from.</param>
/// <param name="Class">The most probable class.</param>
/// <param name="Accepted">Whether its probability reaches the classifier's threshold.</param>
/// <param name="Probability">Of that class, 0 to 1.</param>
/// <param name="Probabilities">Of every class.</param>
public sealed record Prediction(
    string Path, string Class, bool Accepted, float Probability, IReadOnlyDictionary<string, float> Probabilities)
{
    internal static Prediction Of(string path, ReadOnlySpan<float> probabilities, Classifier classifier)
    {
        int best = TensorPrimitives.IndexOfMax(probabilities);
        var all = new Dictionary<string, float>();
        for (int k = 0; k < probabilities.Length; k++) all[classifier.ClassNames[k]] = probabilities[k];
        return new(path, classifier.ClassNames[best], probabilities[best] >= classifier.Threshold, probabilities[best], all);
    }
}

/// <summary>The answers for all images of a source.</summary>
/// <param name="Answers">One for each image that can be read, in the source's order.</param>
/// <param name="Skipped">Those that cannot.</param>
public sealed record Predictions(IReadOnlyList<Prediction> Answers, IReadOnlyList<SkippedFile> Skipped)
{
    /// <summary>What the user should know of the images: see <see cref="ImageDataset.Notes"/>.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether a path ends as a format of <see cref="Write"/> does: .csv or .json.</summary>
    public static bool IsKnown(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".json";

    /// <summary>Writes the answers, whole or not at all.</summary>
    /// <param name="path">.csv: path, class, accepted, probability and a column for each class; .json:
    /// a list of <see cref="Prediction"/>.</param>
    /// <exception cref="ArgumentException">The path ends in neither.</exception>
    /// <exception cref="RunException">The file cannot be written.</exception>
    public void Write(string path)
    {
        if (!IsKnown(path)) throw new ArgumentException($"{path} must end in .csv or .json.");
        FileWriting.WriteText(path, path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? Csv()
            : JsonSerializer.Serialize(Answers, OptionsJson.Serializer));
    }

    private string Csv()
    {
        IEnumerable<string> classes = Answers.Count > 0 ? Answers[0].Probabilities.Keys : [];
        var text = new StringBuilder(string.Join(',',
            [.. (string[])["path", "class", "accepted", "probability"], .. classes.Select(CsvRows.Quote)])).Append('\n');
        foreach (Prediction a in Answers)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{CsvRows.Quote(a.Path)},{CsvRows.Quote(a.Class)},{(a.Accepted ? "true" : "false")},{a.Probability:F6}");
            foreach (float probability in a.Probabilities.Values) text.Append(CultureInfo.InvariantCulture, $",{probability:F6}");
            text.Append('\n');
        }
        return text.ToString();
    }
}
