using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using SiamSharp.Files;

namespace SiamSharp.Evaluation;

/// <summary>One number with everything needed to trust it: an entry of <c>evaluation.json</c>.</summary>
public sealed record Score
{
    /// <summary><c>knn</c>, <c>linear</c>, <c>few-shot</c>, <c>rankme</c>, <c>linear-sgd</c>, <c>fine-tune</c> or
    /// <c>corruption</c>.</summary>
    [JsonPropertyName("protocol")] public string Protocol { get; init; } = "";

    /// <summary>
    /// <c>pretrained</c>; <c>pixels</c>; <c>untrained</c>, the network as it was drawn; or <c>start</c>, the network with the
    /// weights that the run began from.
    /// </summary>
    [JsonPropertyName("encoder")] public string Encoder { get; init; } = "";

    /// <summary>The file of weights that the run began from, where <see cref="Encoder"/> is <c>start</c>.</summary>
    [JsonPropertyName("start"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Start { get; init; }

    /// <summary><c>top1</c>: the share of test images whose class was predicted; <c>rankme</c>:
    /// <see cref="Spectrum.RankMe"/>.</summary>
    [JsonPropertyName("metric")] public string Metric { get; init; } = "top1";

    /// <summary>0 to 1, for few-shot the mean over the draws; RankMe: 1 to D.</summary>
    [JsonPropertyName("value")] public double Value { get; init; }

    /// <summary>Share of test images whose class was among the five most likely, 0 to 1;
    /// left out with five classes or fewer.</summary>
    [JsonPropertyName("top5"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Top5 { get; init; }

    /// <summary>Neighbours, for k-NN.</summary>
    [JsonPropertyName("k")] public int? K { get; init; }

    /// <summary>Labels per class, for few-shot; null when all labels are used.</summary>
    [JsonPropertyName("shots")] public int? Shots { get; init; }

    /// <summary>Share of the labels, above 0 to 1, for fine-tuning.</summary>
    [JsonPropertyName("fraction"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Fraction { get; init; }

    /// <summary>One of <see cref="Corruptions.Names"/>, <c>none</c>, or <c>mean</c> over all.</summary>
    [JsonPropertyName("corruption"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Corruption { get; init; }

    /// <summary>The value at each severity of the corruption, from slight to strong.</summary>
    [JsonPropertyName("by_severity"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? BySeverity { get; init; }

    /// <summary>The run's seed.</summary>
    [JsonPropertyName("seed")] public int Seed { get; init; }

    /// <summary>Labelled images that the classifier saw, or that few-shot drew from.</summary>
    [JsonPropertyName("train_count")] public int TrainCount { get; init; }

    /// <summary>Images judged.</summary>
    [JsonPropertyName("test_count")] public int TestCount { get; init; }

    /// <summary>Test images that are among the training images too, and so flatter the score.</summary>
    [JsonPropertyName("test_in_train")] public int TestInTrain { get; init; }

    /// <summary>Test images of classes that no training image has: each of them counts as wrong.</summary>
    [JsonPropertyName("test_unseen"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int TestUnseen { get; init; }

    /// <summary>What else there is to know about the images, in plain words: what was left out, counted as wrong,
    /// or is blank; null = nothing.</summary>
    [JsonPropertyName("notes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Notes { get; init; }

    /// <summary>Where the labelled images come from; null where it was not recorded.</summary>
    [JsonPropertyName("train"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Train { get; init; }

    /// <summary>Where the images judged come from; null where it was not recorded.</summary>
    [JsonPropertyName("test"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Test { get; init; }

    /// <summary>Identifies the pixels and labels of both sets.</summary>
    [JsonPropertyName("data_hash")] public string DataHash { get; init; } = "";

    /// <summary>Identifies the run's encoder, for its own scores: its <see cref="SiamSharp.Encoder.ContentHash"/>;
    /// null for others and in files of earlier versions.</summary>
    [JsonPropertyName("encoder_hash"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? EncoderHash { get; init; }

    /// <summary>The L2 penalty: chosen for the linear probe, given for few-shot.</summary>
    [JsonPropertyName("penalty")] public double? Penalty { get; init; }

    /// <summary>Draws of labels, for few-shot.</summary>
    [JsonPropertyName("draws"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public int? Draws { get; init; }

    /// <summary>Sample standard deviation over the draws, for few-shot.</summary>
    [JsonPropertyName("std"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Std { get; init; }

    /// <summary>Half the width of the 95 % confidence interval of the mean over the draws, for few-shot.</summary>
    [JsonPropertyName("ci95"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public double? Ci95 { get; init; }

    /// <summary>The protocol as the head of a column: <c>k-NN (k 20)</c>, <c>linear</c>, <c>10-shot</c>,
    /// <c>tuned, 1 %</c>.</summary>
    [JsonIgnore]
    public string Title => Protocol switch
    {
        "knn" => $"k-NN (k {K})",
        "few-shot" => $"{Shots}-shot",
        "rankme" => "RankMe",
        "linear-sgd" => "linear, SGD",
        "corruption" => Corruption!,
        "fine-tune" => string.Create(CultureInfo.InvariantCulture, $"tuned, {Fraction * 100:0.####} %"),
        _ => Protocol,
    };

    /// <summary>What was judged, in words: <c>pixels</c>, <c>untrained encoder</c>, <c>start (FILE)</c>,
    /// <c>pretrained encoder</c>.</summary>
    [JsonIgnore]
    public string Representation => NameOf(Encoder, Start);

    internal static string NameOf(string encoder, string? start = null) => encoder switch
    {
        "pixels" => "pixels",
        "start" => start is null ? "start" : $"start ({Path.GetFileName(start)})",
        _ => $"{encoder} encoder",
    };

    /// <summary>The 95 % interval of the accuracy that the number of test images leaves open, 0 to 1;
    /// null for other metrics.</summary>
    [JsonIgnore]
    public (double Low, double High)? Interval =>
        Metric == "top1" && TestCount > 0 ? Statistics.ShareInterval(Value, TestCount) : null;

    /// <summary>The protocol as part of a file name: <c>knn</c>, <c>fine-tune-10</c> with 10 % of the labels.</summary>
    [JsonIgnore]
    internal string Slug =>
        Fraction is double f ? string.Create(CultureInfo.InvariantCulture, $"{Protocol}-{f * 100:0.####}") : Protocol;

    /// <summary>As an object of JSON that carries its hash.</summary>
    internal JsonObject ToSealedJson() => SealedJson.Seal(JsonSerializer.SerializeToNode(this)!.AsObject());

    /// <summary>The scores in a file; null where it is damaged or holds something else.</summary>
    internal static IReadOnlyList<Score>? Read(string file)
    {
        try
        {
            if (JsonNode.Parse(RegularFile.ReadAllText(file)) is not JsonArray entries) return null;
            Score[] scores = [.. entries.Select(entry => SealedJson.Unseal(entry).Deserialize<Score>()!)];
            return scores.All(s =>
                s is { Protocol: not null, Encoder: not null, Metric: not null, DataHash: not null } && double.IsFinite(s.Value))
                ? scores : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The value as a table shows it: a share with four digits behind the point, a rank with one.</summary>
    [JsonIgnore]
    public string Shown => Value.ToString(Metric == "rankme" ? "F1" : "F4", CultureInfo.InvariantCulture);
}
