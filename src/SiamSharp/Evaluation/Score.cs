using System.Text.Json.Serialization;

namespace SiamSharp.Evaluation;

/// <summary>One number with everything needed to trust it: an entry of <c>evaluation.json</c>.</summary>
/// <param name="Protocol"><c>knn</c> or <c>linear</c>.</param>
/// <param name="Encoder"><c>pretrained</c>, <c>untrained</c> or <c>pixels</c>.</param>
/// <param name="Metric"><c>top1</c>: the share of test images whose class was predicted.</param>
/// <param name="Value">0 to 1.</param>
/// <param name="K">Neighbours, for k-NN.</param>
/// <param name="Shots">Labels per class, for few-shot; null when all labels are used.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="TrainCount">Labelled images that the classifier saw.</param>
/// <param name="TestCount">Images judged.</param>
/// <param name="DataHash">Names the pixels and labels of both sets.</param>
/// <param name="Penalty">The L2 penalty chosen, for the linear probe.</param>
public sealed record Score(
    [property: JsonPropertyName("protocol")] string Protocol,
    [property: JsonPropertyName("encoder")] string Encoder,
    [property: JsonPropertyName("metric")] string Metric,
    [property: JsonPropertyName("value")] double Value,
    [property: JsonPropertyName("k")] int? K,
    [property: JsonPropertyName("shots")] int? Shots,
    [property: JsonPropertyName("seed")] int Seed,
    [property: JsonPropertyName("train_count")] int TrainCount,
    [property: JsonPropertyName("test_count")] int TestCount,
    [property: JsonPropertyName("data_hash")] string DataHash,
    [property: JsonPropertyName("penalty")] double? Penalty);
