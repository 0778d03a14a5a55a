using SiamSharp.Data;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Recipes;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>One step of training, and nothing else: timing, checks, logging and checkpoints are its caller's.</summary>
internal sealed class TrainingStep(
    Recipe recipe, ImageDataset data, ViewMaker viewMaker, SiameseMethod method, Optimizer optimizer, Device device)
{
    private readonly int _stepsPerEpoch = Math.Max(1, data.Count / recipe.Training.BatchSize);
    private ViewBatch _views = null!;

    /// <summary>The loss of the last step; it belongs to the dispose scope that was open then.</summary>
    public LossTerms Terms { get; private set; } = null!;

    /// <summary>What the last loss would be if all embeddings were equal; null where that says nothing.</summary>
    public double? LossWhenCollapsed => method.LossWhenCollapsed(_views);

    /// <summary>The length of all gradients of the last step together, before they were clipped.</summary>
    public double GradientNorm { get; private set; }

    /// <summary>Makes the step.</summary>
    /// <param name="batch">N images, 2 or more.</param>
    /// <param name="step">Steps done before.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="after">Called after each part; an exception from it ends the step there.</param>
    public void Make(Batch batch, long step, double learningRate, Action<StepPhase> after)
    {
        _views = View(batch, step); // V x (N, C, S, S)
        after(StepPhase.Views);
        Terms = method.Loss(_views);
        after(StepPhase.Loss);
        GradientNorm = Backward(Terms.Total);
        after(StepPhase.Gradient);
        optimizer.Step(learningRate);
        method.AfterStep(_views, Terms);
        optimizer.ZeroGrad();
        after(StepPhase.Optimizer);
    }

    private ViewBatch View(Batch batch, long step)
    {
        Tensor[] views = viewMaker.MakeViews(batch.Images, batch.SampleIds, (int)(step / _stepsPerEpoch));
        return new ViewBatch([.. views.Select(view => view.to(device))])
        {
            Indexes = tensor(Array.ConvertAll(batch.Indexes, i => (long)i), device: device),
            Labels = recipe.Method.NeedsLabels
                ? tensor(Array.ConvertAll(batch.Indexes, i => (long)data.Labels![i]), device: device) : null,
            Step = step,
            StepsPerEpoch = _stepsPerEpoch,
            Progress = (double)(step + 1) / ((long)recipe.Training.Epochs * _stepsPerEpoch),
        };
    }

    private double Backward(Tensor loss)
    {
        loss.backward();
        return GradientClipping.Clip(method.parameters(), recipe.Optimizer.ClipNorm); // waits for a GPU
    }
}
