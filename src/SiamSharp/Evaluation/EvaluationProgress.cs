namespace SiamSharp.Evaluation;

/// <summary>How far judging has come.</summary>
/// <param name="What">What is being done, such as <c>pretrained encoder: images of test</c>;
/// another one begins anew at 0.</param>
/// <param name="Share">Of that what is done, 0 to 1.</param>
public readonly record struct EvaluationProgress(string What, double Share);

/// <summary>Shares of one piece of work as progress of the whole.</summary>
/// <param name="progress">Told of it; null = nobody.</param>
/// <param name="what">The piece.</param>
internal sealed class EvaluationPart(IProgress<EvaluationProgress>? progress, string what) : IProgress<double>
{
    public void Report(double value) => progress?.Report(new(what, value));
}
