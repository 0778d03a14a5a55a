using System.Diagnostics;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Views;
using TorchSharp;

namespace SiamSharp.Benchmarks;

/// <summary>Seconds that each protocol takes on Fashion-MNIST, 60,000 training and 10,000 test images,
/// beyond the feature pass.</summary>
internal static class JudgingTime
{
    internal sealed record Result(
        string Features, int Width, int Threads, double FeaturePassSeconds, Dictionary<string, double> Seconds,
        double TotalSeconds, Dictionary<string, double> Accuracy);

    internal static Result Measure(string features, int width, int threads)
    {
        if (threads > 0) torch.set_num_threads(threads);
        var data = new DataOptions();
        ImageDataset train = ImageDataset.Load(ImageSources.Open("fashion-mnist:train", data), data),
            test = ImageDataset.Load(ImageSources.Open("fashion-mnist:test", data), data);
        var clock = Stopwatch.StartNew();
        using Encoder? encoder = features == "pixels" ? null : new Encoder(
            (features == "map"
                ? new BackboneOptions
                {
                    Width = 32,
                    Depths = [1, 1, 1],
                    Stem = Stem.Half,
                    PoolSize = 4
                } // as recipes/fashion-mnist.json
                : new BackboneOptions { Name = "resnet18", Width = width, Depths = [1, 1, 1, 1] }).Create(1, 28, seed: 1),
            new Preprocessing(new HighPassOptions(), [0.0], [0.1]), 1, 28);
        using Features x = encoder is null ? Features.OfPixels(train, train, 256) : Features.Of(encoder, train, 256);
        using Features y = encoder is null ? Features.OfPixels(test, train, 256) : Features.Of(encoder, test, 256);
        double pass = clock.Elapsed.TotalSeconds;
        var seconds = new Dictionary<string, double>();
        var accuracy = new Dictionary<string, double>();
        var evaluator = new Evaluator(new EvaluationOptions(), seed: 1);
        foreach (Protocol protocol in new[] { Protocol.Knn, Protocol.Linear, Protocol.FewShot })
        {
            clock.Restart();
            foreach (Score score in evaluator.Evaluate(protocol, "pretrained", x, y, "")) accuracy[score.Title] = score.Value;
            seconds[protocol.ToString()] = clock.Elapsed.TotalSeconds;
        }
        return new Result(features, (int)x.Values.shape[1], torch.get_num_threads(), pass, seconds,
            seconds.Values.Sum(), accuracy);
    }
}
