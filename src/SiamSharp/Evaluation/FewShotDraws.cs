using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Options;

namespace SiamSharp.Evaluation;

/// <summary>The images that few-shot classifiers learn from: a file that can be published,
/// and used again with other encoders.</summary>
/// <param name="TrainHash">Names the pixels and labels of the training images.</param>
/// <param name="Shots">For each number of shots the draws; a draw has indexes into the labelled training images,
/// in the order of their source.</param>
internal sealed record FewShotDraws(string TrainHash, IReadOnlyDictionary<int, IReadOnlyList<long[]>> Shots)
{
    /// <summary>The draws that options ask for: those of a file, or new ones.</summary>
    /// <param name="labels">One label for each labelled training image.</param>
    /// <param name="classNames">In label order.</param>
    /// <param name="trainHash">Of the training images.</param>
    /// <param name="options">Shots, draws, seed and file.</param>
    /// <exception cref="DataSourceException">A class is too small, or the file is of other images or lacks
    /// what is asked for.</exception>
    public static FewShotDraws For(
        ReadOnlySpan<long> labels, IReadOnlyList<string> classNames, string trainHash, EvaluationOptions options)
    {
        OptionsJson.Check(options, "evaluation");
        if (options.DrawsFile.Length > 0) return Read(options.DrawsFile, trainHash, labels.Length, options);
        var shots = new SortedDictionary<int, IReadOnlyList<long[]>>();
        foreach (int count in options.Shots)
        {
            long[][] draws = new long[options.Draws][];
            for (int draw = 0; draw < draws.Length; draw++)
                draws[draw] = FewShot.Draw(labels, classNames, count, draw, (ulong)options.DrawSeed);
            shots[count] = draws;
        }
        return new FewShotDraws(trainHash, shots);
    }

    /// <summary>The same for the images of a dataset.</summary>
    /// <param name="train">Labelled images.</param>
    /// <param name="options">Shots, draws, seed and file.</param>
    public static FewShotDraws For(ImageDataset train, EvaluationOptions options)
    {
        LabelledImages known = LabelledImages.Of(train);
        return For(known.Labels, known.ClassNames, train.DataHash, options);
    }

    /// <summary>As JSON with a hash of itself, which <see cref="EvaluationOptions.DrawsFile"/> reads.</summary>
    public string ToJson() => SealedJson.Seal(JsonSerializer.SerializeToNode(this)!.AsObject()).ToJsonString() + "\n";

    /// <summary>What the images of a draws.json are called in the scores beside it; null where there are none.</summary>
    private static string? SourceOf(string file, string trainHash)
    {
        try
        {
            string scores = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "evaluation.json");
            return File.Exists(scores)
                ? Score.Read(scores)?.FirstOrDefault(s =>
                    s.Train is not null && s.DataHash.StartsWith(trainHash + "/", StringComparison.Ordinal))?.Train : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it is a help only
        }
    }

    private static FewShotDraws Read(string file, string trainHash, int images, EvaluationOptions options)
    {
        FewShotDraws draws;
        try
        {
            draws = SealedJson.Unseal(JsonNode.Parse(RegularFile.ReadAllText(file))).Deserialize<FewShotDraws>()!;
            if (draws is not { TrainHash: not null, Shots: not null }
                || draws.Shots.Values.Any(d => d is null || d.Any(images => images is null)))
                throw new JsonException("it holds no draws");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new DataSourceException($"evaluation.drawsFile {file} cannot be read ({e.Message.TrimEnd('.')}). "
                + "Give the draws.json of a run that was judged few-shot.");
        }
        if (draws.TrainHash != trainHash)
            throw new DataSourceException($"evaluation.drawsFile {file} was drawn from other images than those "
                + $"of --train{(SourceOf(file, draws.TrainHash) is { } source ? $": from {source}" : "")} "
                + $"(its data are {draws.TrainHash}, those of --train {trainHash}). "
                + "Give those images as --train, or leave evaluation.drawsFile out to draw anew.");
        if (options.Shots.FirstOrDefault(s => !draws.Shots.ContainsKey(s) || draws.Shots[s].Count < options.Draws)
            is > 0 and var missing)
            throw new DataSourceException($"evaluation.drawsFile {file} lacks {options.Draws} draws of {missing} shots: it has "
                + $"{string.Join(", ", draws.Shots.Select(s => $"{s.Value.Count} of {s.Key}"))}. "
                + "Lower evaluation.draws or evaluation.shots.");
        if (draws.Shots.Values.SelectMany(d => d).SelectMany(d => d).Any(i => i < 0 || i >= images))
            throw new DataSourceException($"evaluation.drawsFile {file} names images outside of 0 to {images - 1}.");
        return draws;
    }
}
