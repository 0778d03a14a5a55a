using SiamSharp.Backbones;
using static TorchSharp.torch;

namespace SiamSharp.Benchmarks;

/// <summary>What a ViT saves by leaving out the patches that a mask removes, instead of seeing them filled.</summary>
internal static class DroppedPatches
{
    internal static object Measure(string name, int size, int patch, int batch, double ratio, int rounds)
    {
        using var vit = new BackboneOptions { Name = name, PatchSize = patch }.Create(3, size, seed: 1);
        int side = size / patch, rowsDropped = (int)Math.Round(ratio * side);
        using Tensor filled = randn(batch, 3, size, size), dropped = filled.clone();
        dropped.narrow(2, 0, rowsDropped * patch).fill_(float.NaN);
        var seconds = new List<(double Filled, double Dropped)>();
        for (int round = -1; round < rounds; round++)
        {
            var pair = (Step(filled), Step(dropped));
            if (round >= 0) seconds.Add(pair);
        }
        double[] speedups = [.. seconds.Select(s => s.Filled / s.Dropped).Order()];
        return new
        {
            benchmark = "dropped patches",
            backbone = name,
            size,
            patch,
            batch_size = batch,
            ratio = (double)rowsDropped / side,
            filled_seconds = seconds.Select(s => s.Filled).Order().ElementAt(rounds / 2),
            dropped_seconds = seconds.Select(s => s.Dropped).Order().ElementAt(rounds / 2),
            speedup_median = speedups[rounds / 2],
            speedup_least = speedups[0],
            speedup_most = speedups[^1],
        };

        double Step(Tensor images)
        {
            TimeProvider time = TimeProvider.System;
            using var scope = NewDisposeScope();
            long start = time.GetTimestamp();
            vit.forward(images).sum().backward();
            foreach (var parameter in vit.parameters()) parameter.grad = null;
            return time.GetElapsedTime(start).TotalSeconds;
        }
    }
}
