using System.ComponentModel.DataAnnotations;
using SiamSharp.Backbones;
using SiamSharp.Options;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// DINO: a student network learns to give the same output as its teacher, which is a moving average of it. The teacher's
/// output is centred and sharpened.
/// </summary>
/// <remarks>
/// Source: Caron et al. 2021, arXiv 2104.14294. The teacher sees the target views, the student all of them (multi-crop).
/// The teacher's backbone is what is kept, as the authors do.
/// Differences: the authors raise the weight decay from 0.04 to 0.4 by half a cosine, shorten the gradient of each parameter by
/// itself and leave out blocks of the student's ViT at random (drop path 0.1). Here the decay is constant, optimizer.clipNorm is
/// over all parameters together, and no block is left out: one rule for all methods, to be compared with each other.
/// </remarks>
[Kind("dino")]
public sealed record DinoOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>Number of outputs that student and teacher compare (K); 65536 as published.</summary>
    [Range(2, 1 << 20)] public int Outputs { get; init; } = 65_536;

    /// <summary>The student's outputs are divided by this temperature; 0.1 as published.</summary>
    [Range(0.001, 10.0)] public double StudentTemperature { get; init; } = 0.1;

    /// <summary>
    /// The teacher's centred outputs are divided by this temperature, after its warm-up. 0.04 is the authors' default; their
    /// longer runs have up to 0.07.
    /// </summary>
    [Range(0.001, 10.0)] public double TeacherTemperature { get; init; } = 0.04;

    /// <summary>The teacher's temperature at the start. It changes evenly to <see cref="TeacherTemperature"/>.</summary>
    [Range(0.001, 10.0)] public double TeacherWarmupTemperature { get; init; } = 0.04;

    /// <summary>
    /// Epochs in which the teacher's temperature changes; 0 is the authors' default, their longer runs have 30.
    /// </summary>
    [Range(0.0, 100_000.0)] public double TeacherWarmupEpochs { get; init; }

    /// <summary>
    /// How slowly the centre of the teacher's outputs moves: the share that it keeps of itself at each step; 0.9 as
    /// published.
    /// </summary>
    [Range(0.0, 1.0)] public double CenterDecay { get; init; } = 0.9;

    /// <summary>
    /// How slowly the teacher follows: the share that it keeps of itself at each step. It starts with this and rises to 1
    /// along half a cosine; 0.996 as published.
    /// </summary>
    [Range(0.0, 1.0)] public double EmaDecay { get; init; } = 0.996;

    /// <summary>Epochs at the start in which the last layer does not learn; 1 as published.</summary>
    [Range(0.0, 1000.0)] public double FreezeLastLayerEpochs { get; init; } = 1;

    /// <summary>
    /// Width of the two hidden layers of the head, the small network between vector and loss; 2048 as published.
    /// </summary>
    [Range(1, 65_536)] public int HeadHidden { get; init; } = 2048;

    /// <summary>Width of the normalised layer before the last layer of the head; 256 as published.</summary>
    [Range(1, 65_536)] public int HeadBottleneck { get; init; } = 256;

    /// <summary>
    /// Whether a batch normalisation follows each hidden layer of the head. false as published; true is an option of the
    /// authors' code.
    /// </summary>
    public bool HeadBatchNorm { get; init; }

    /// <inheritdoc/>
    public override string UsedTerm => Dino.UsedTerm;

    /// <inheritdoc/>
    public override IEnumerable<string> NotesFor(int images, int batchSize, int epochs) =>
        SiamSharp.Methods.Prototypes.TooMany("method.outputs", Outputs, images) is { } many ? [many] : [];

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) =>
    [
        PaperPolicies.Branch(size, channels, minArea: 0.4, saturation: 0.4, blur: 1.0),
        PaperPolicies.Branch(size, channels, minArea: 0.4, saturation: 0.4, blur: 0.1, solarize: 0.2),
        PaperPolicies.Branch(size, channels, minArea: 0.05, maxArea: 0.4, cropSize: 96, saturation: 0.4) with { Count = 8 },
    ];

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new Dino(this, setup);
}

/// <summary>DINO's networks and loss; see <see cref="DinoOptions"/>.</summary>
internal sealed class Dino : SiameseMethod
{
    internal const string UsedTerm = "outputs_used";

    private readonly DinoHead projector;
    private readonly TargetNetwork target;
    private readonly Tensor center;
    private readonly DinoOptions _options;

    internal Dino(DinoOptions options, MethodSetup setup) : base("DINO", setup.MakeBackbone())
    {
        _options = options;
        projector = new DinoHead(options, setup);
        target = new TargetNetwork(setup.MakeBackbone(), new DinoHead(options, setup), Backbone, projector);
        center = zeros(options.Outputs);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override nn.Module<Tensor, Tensor> Encoder => target.Backbone;

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "DINO");
        using var scope = NewDisposeScope();
        var student = projector.Forward(Represent(Backbone, batch.Views), frozen: batch.Epoch < _options.FreezeLastLayerEpochs);
        IReadOnlyList<Tensor> targets = batch.Targets;
        var teacher = target.Embed(targets);
        double temperature = TemperatureAt(batch.Epoch);
        var total = LossOf(student.chunk(batch.Views.Count), teacher.chunk(targets.Count), center,
            _options.StudentTemperature, temperature);
        var used = CrossViewEntropy.Used(((teacher - center) / Held(temperature)).softmax(1));
        return Terms(total, student, (UsedTerm, used)) with { Kept = [teacher.MoveToOuterDisposeScope()] };
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => Math.Log(_options.Outputs);

    /// <inheritdoc/>
    public override void AfterStep(ViewBatch batch, LossTerms terms)
    {
        MoveCenter(center, terms.Kept[0], _options.CenterDecay);
        target.Follow(TargetNetwork.DecayAt(_options.EmaDecay, batch.Progress));
    }

    private double TemperatureAt(double epoch) => epoch >= _options.TeacherWarmupEpochs
        ? _options.TeacherTemperature
        : double.Lerp(_options.TeacherWarmupTemperature, _options.TeacherTemperature, epoch / _options.TeacherWarmupEpochs);

    /// <summary>The mean cross entropy between the teacher's view of one target view and the student's
    /// of each other view.</summary>
    /// <remarks>Source: equation 3 and algorithm 1 of the paper.</remarks>
    /// <param name="student">V tensors (N, K).</param>
    /// <param name="teacher">T tensors (N, K) of the first T views, without gradient.</param>
    /// <param name="center">(K): subtracted from the teacher's outputs.</param>
    /// <param name="studentTemperature">Above 0.</param>
    /// <param name="teacherTemperature">Above 0, below the student's.</param>
    /// <returns>A differentiable scalar, owned by the caller.</returns>
    internal static Tensor LossOf(
        IReadOnlyList<Tensor> student, IReadOnlyList<Tensor> teacher, Tensor center,
        double studentTemperature, double teacherTemperature)
    {
        using var scope = NewDisposeScope();
        Tensor[] wanted = [.. teacher.Select(t => ((t - center) / Held(teacherTemperature)).softmax(1))];
        return CrossViewEntropy.Of(student, wanted, studentTemperature).MoveToOuterDisposeScope();
    }

    /// <summary>Moves the centre towards the mean of the teacher's outputs. Source: equation 4 of the paper.</summary>
    internal static void MoveCenter(Tensor center, Tensor teacher, double decay)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        center.mul_(Held(decay)).add_(teacher.mean([0]), alpha: Held(1 - decay));
    }

    /// <summary>Three linear layers with GELU between them, norm 1, then a weight-normalised layer: (N, D) to (N, K).</summary>
    private sealed class DinoHead : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Sequential mlp;
        private readonly Prototypes last;

        public DinoHead(DinoOptions options, MethodSetup setup) : base(nameof(DinoHead))
        {
            mlp = nn.Sequential(
                [.. Hidden(setup.Width), .. Hidden(options.HeadHidden), nn.Linear(options.HeadHidden, options.HeadBottleneck)]);
            Initialization.DrawNormal(mlp, setup.Seed);
            last = new Prototypes(options.Outputs, options.HeadBottleneck, setup.Seed);
            RegisterComponents();

            IEnumerable<nn.Module<Tensor, Tensor>> Hidden(int inputs)
            {
                yield return nn.Linear(inputs, options.HeadHidden);
                if (options.HeadBatchNorm) yield return new BatchNormalization(options.HeadHidden);
                yield return nn.GELU();
            }
        }

        public override Tensor forward(Tensor x) => Forward(x, frozen: false);

        /// <summary>The same, with a last layer that gets no gradient where it is <paramref name="frozen"/>.</summary>
        public Tensor Forward(Tensor x, bool frozen)
        {
            using var scope = NewDisposeScope();
            return last.Score(Normalize(mlp.forward(x)), frozen, projected: true).MoveToOuterDisposeScope();
        }
    }
}
