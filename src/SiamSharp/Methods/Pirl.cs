using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Randomness;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// PIRL: an image and its views get vectors similar to the image's row in a memory of the whole data set, and different from
/// the other rows.
/// </summary>
/// <remarks>
/// Source: Misra and van der Maaten 2019, arXiv 1912.01991; the memory's loss, for any views. The first view is the image, all
/// others are its transformations; each kind has its own linear head.
/// Cost: a row of 4 times <see cref="ProjectorOutput"/> bytes for each image, in memory and in every checkpoint.
/// Differences: one set of negatives for all samples of a batch, each leaving out its own row. A row is empty until its
/// sample comes for the first time, when it takes the embedding of then; empty rows are left out, where the paper
/// starts with random directions.
/// </remarks>
[Kind("pirl")]
public sealed record PirlOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    private const int PublishedNegatives = 32_000;

    /// <summary>
    /// Cosine similarities are divided by this temperature. The lower, the more the most similar images count. 0.07 as
    /// published.
    /// </summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 0.07;

    /// <summary>
    /// How many other rows of the memory each step compares with; 32000 as published. If there are fewer, all others are
    /// taken.
    /// </summary>
    [Range(1, 1 << 22)] public int Negatives { get; init; } = PublishedNegatives;

    /// <summary>
    /// Weight of the transformed views in the loss, which are all views but the first. The image itself, the first view, has
    /// the rest; 0.5 as published.
    /// </summary>
    [Range(0.0, 1.0)] public double TransformedWeight { get; init; } = 0.5;

    /// <summary>
    /// How slowly the memory follows: the share that a row keeps of itself when its image comes; 0.5 as published.
    /// </summary>
    [Range(0.0, 1.0)] public double MemoryDecay { get; init; } = 0.5;

    /// <summary>Width of the embedding that the loss compares; 128 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 128;

    /// <inheritdoc/>
    public override IEnumerable<string> NotesFor(int images, int batchSize, int epochs)
    {
        if (Negatives != PublishedNegatives && Negatives > images - 1)
            yield return $"method.negatives is {Negatives}, but there are only {images - 1} other images: all are taken.";
    }

    /// <inheritdoc/>
    /// <remarks>The crops and colours of the image in the authors' configuration (VISSL, pirl_jigsaw_4node_resnet50), for both
    /// views: there the second are nine patches, and a further photometric change follows.</remarks>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels)
    {
        ViewPolicy branch = PaperPolicies.Branch(size, channels, minArea: 0.08, blur: 0);
        return [
            branch with { Count = 2, ColorJitter = branch.ColorJitter with { Probability = 1, Hue = channels == 3 ? 0.2 : 0 } }];
    }

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new Pirl(this, setup);
}

/// <summary>PIRL's networks and loss; see <see cref="PirlOptions"/>.</summary>
internal sealed class Pirl : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector, transformedProjector;
    private readonly Tensor memory, seen;
    private readonly PirlOptions _options;
    private readonly ulong _seed;

    internal Pirl(PirlOptions options, MethodSetup setup) : base("PIRL", setup.MakeBackbone())
    {
        if (setup.Samples < 2)
            throw new ArgumentException(
                $"PIRL needs a data set of two samples or more for its memory, but there are {setup.Samples}.");
        (_options, _seed) = (options, setup.Seed);
        projector = Mlp.Create("Projector", setup.Seed, HeadEnd.Bias, setup.Width, options.ProjectorOutput);
        transformedProjector = Mlp.Create("TransformedProjector", setup.Seed, HeadEnd.Bias, setup.Width, options.ProjectorOutput);
        memory = zeros(setup.Samples, options.ProjectorOutput);
        seen = zeros(setup.Samples, ScalarType.Bool);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "PIRL");
        if (batch.Indexes is null)
            throw new ArgumentException("PIRL needs the indexes of the samples for its memory, but the batch has none.");
        using var scope = NewDisposeScope();
        Tensor[] features = Represent(Backbone, batch.Views).chunk(batch.Views.Count);
        var image = Normalize(projector.forward(features[0]));
        var transformed = Normalize(transformedProjector.forward(cat(features[1..])));
        int transformations = features.Length - 1;

        // an empty row is the embedding itself
        var own = where(seen[batch.Indexes].unsqueeze(1), memory[batch.Indexes], image.detach());
        Tensor drawn = Draw(batch.Step);
        var (others, filled) = RowsOf(drawn, batch.Indexes, own);
        var leftOut = (batch.Indexes.unsqueeze(1) == drawn.unsqueeze(0)).logical_or(filled.logical_not());
        var ofImage = LossOf(image, own, others, leftOut, _options.Temperature);
        var ofTransformed = LossOf(transformed, own.repeat(transformations, 1), others,
            leftOut.repeat(transformations, 1), _options.Temperature);
        double weight = _options.TransformedWeight;
        return Terms((Held(weight) * ofTransformed).Plus(Held(1 - weight) * ofImage), transformed, ("image", ofImage.detach()),
            ("transformed", ofTransformed.detach()))
            with
        { Kept = [own.MoveToOuterDisposeScope(), image.detach().MoveToOuterDisposeScope()] };
    }

    /// <inheritdoc/>
    public override void AfterStep(ViewBatch batch, LossTerms terms)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (own, image) = (terms.Kept[0], terms.Kept[1]);
        memory.index_copy_(0, batch.Indexes!,
            Normalize((own * Held(_options.MemoryDecay)).Plus(image * Held(1 - _options.MemoryDecay))));
        seen.index_fill_(0, batch.Indexes!, Held(true));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch)
    {
        double negatives = Math.Min(_options.Negatives, memory.shape[0] - 1);
        return Math.Log(1 + negatives) - negatives * Math.Log(1 - 1 / (1 + negatives));
    }

    /// <summary>Rows of the memory without repetition, a function of (seed, step).</summary>
    private Tensor Draw(long step)
    {
        int samples = (int)memory.shape[0], count = Math.Min(_options.Negatives, samples);
        var random = new RandomStream(_seed, RandomPurpose.Negatives, sample: step);
        int[] all = [.. Enumerable.Range(0, samples)];
        if (count < samples) random.Shuffle<int>(all);
        return tensor(Array.ConvertAll(all[..count], i => (long)i), device: memory.device);
    }

    /// <summary>Rows of the memory as if the rows of this batch, empty ones too, were filled already.</summary>
    /// <param name="drawn">int64 (M): which rows.</param>
    /// <param name="indexes">int64 (N): the rows of this batch.</param>
    /// <param name="own">(N, E): what they hold.</param>
    /// <returns>(M, E), and bool (M): whether a row holds anything.</returns>
    private (Tensor Rows, Tensor Filled) RowsOf(Tensor drawn, Tensor indexes, Tensor own)
    {
        Tensor ofBatch = arange(Held(0L), Held(indexes.shape[0]), Held(1L), ScalarType.Int64, memory.device);
        Tensor places = full([memory.shape[0]], Held(-1L), ScalarType.Int64, memory.device).index_copy_(0, indexes, ofBatch);
        Tensor place = places[drawn], inBatch = place.ge(Held(0L));
        return (where(inBatch.unsqueeze(1), own[place.clamp_min(Held(0L))], memory[drawn]), inBatch.logical_or(seen[drawn]));
    }

    /// <summary>Noise-contrastive loss of embeddings against their rows of the memory and others.</summary>
    /// <remarks>
    /// Definition: with p the softmax over [v m, v n for each other row n] / T: mean over v of - log
    /// p(m) - sum over n of log(1 - p(n)).
    /// Source: equations 4 and 5 of the paper.
    /// </remarks>
    /// <param name="v">(N, E), rows of norm 1.</param>
    /// <param name="own">(N, E): the rows of these samples; no gradient.</param>
    /// <param name="others">(M, E): rows of other samples; no gradient.</param>
    /// <param name="leftOut">bool (N, M): where a row of <paramref name="others"/> does not count:
    /// the sample's own, or an empty one.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <returns>A differentiable scalar, owned by the caller.</returns>
    internal static Tensor LossOf(Tensor v, Tensor own, Tensor others, Tensor leftOut, double temperature)
    {
        using var scope = NewDisposeScope();
        var positive = (v * own).sum(1, keepdim: true);
        var negative = v.mm(others.t()).masked_fill(leftOut, Held(double.NegativeInfinity));
        var (right, wrong) = (positive / Held(temperature), negative / Held(temperature));
        var all = cat([right, wrong], 1).logsumexp(1, keepdim: true);
        var logarithms = wrong - all;                                            // (N, M): log p(n)
        // 1 - p loses its digits where p is near 1, which at most one row n can be:
        // there it is what all the others have together.
        var likely = logarithms.detach().gt(Held(Math.Log(0.6)));
        var ofLikely =
            cat([right, wrong.masked_fill(likely, Held(double.NegativeInfinity))], 1).logsumexp(1, keepdim: true) - all;
        var rest = (-logarithms.masked_fill(likely, Held(double.NegativeInfinity)).exp()).log1p().sum(1, keepdim: true);
        return (all - right - ofLikely - rest).mean().MoveToOuterDisposeScope();
    }
}
