using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Docs;

/// <summary>What docs/METHODS.md shows; OwnBackboneTests runs it.</summary>
internal static class MethodsSample
{
    internal sealed
    class MyNetwork : nn.Module<Tensor, Tensor>
    {
        private readonly Sequential layers = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride: 2), new BatchNormalization(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride: 2), nn.ReLU());

        public MyNetwork() : base(nameof(MyNetwork)) => RegisterComponents();

        public override Tensor forward(Tensor images) => layers.forward(images).mean([2, 3]);   // (N, 1, H, W) -> (N, 32)
    }

    internal static long[] Run(Func<DataOptions, IImageSource> Open, ImageDataset images, RunFolder run)
    {
        Recipe recipe = Recipe.Resolve([], ["method=byol", "training.epochs=2"], Open);
        recipe = recipe with { Training = recipe.Training with { BatchSize = 16 } };
        Pretraining.Run(recipe, images, run, ownBackbone: () => new MyNetwork());
        using Encoder encoder = Encoder.Load(run.EncoderPath, new MyNetwork());
        using var batch = images.Batch([0, 1, 2]);
        using var representations = encoder.Encode(batch);
        return representations.shape;
    }
}
