using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Methods;
using SiamSharp.Native;
using SiamSharp.Optim;
using SiamSharp.Recipes;
using SiamSharp.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Self-supervised pretraining: the one loop.</summary>
public static class Pretraining
{
    /// <summary>Pretrains an encoder, or goes on with a run that was stopped.</summary>
    /// <remarks>
    /// Repeats bit by bit on the processor for the same recipe, images and number of threads, however often it is stopped and resumed:
    /// every draw is a function of (seed, epoch, sample, view) and everything else is in the checkpoint.
    /// </remarks>
    /// <param name="recipe">A resolved recipe.</param>
    /// <param name="data">The images; labels are not looked at.</param>
    /// <param name="folder">Where the run is kept.</param>
    /// <param name="resume">Go on from the folder's checkpoint, or from the start when none was written yet.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="time">The clock, for speed and time left only.</param>
    /// <param name="ownBackbone">
    /// A network of your own instead of <see cref="Recipe.Backbone"/>: float32 (N, C, H, W) to (N, D); a new one, in training mode, at each
    /// call, since methods with a target network need two. Its convolutions, linear layers and batch normalisations are drawn by the
    /// run's seed. Dropout in it makes runs differ. For a GPU every tensor that it holds is a registered parameter or buffer, read through its field in each pass.
    /// </param>
    /// <param name="cancel">Ends the step, saves a checkpoint and returns with <see cref="PretrainingResult.Finished"/> false.</param>
    /// <exception cref="RunException">The folder holds another run, the loss is not finite, the disk is full.</exception>
    public static PretrainingResult Run(
        Recipe recipe, ImageDataset data, RunFolder folder, bool resume = false, IProgress<TrainingProgress>? progress = null,
        TimeProvider? time = null, Func<nn.Module<Tensor, Tensor>>? ownBackbone = null, CancellationToken cancel = default)
    {
        CheckFits(recipe, data);
        CheckFolder(recipe, folder, resume);
        Device device = recipe.Training.FindDevice();
        folder.Create();
        using IDisposable folderLock = folder.Lock();
        recipe.Training.UseThreads();

        using var run = NewDisposeScope();
        ulong seed = (ulong)recipe.Training.Seed;
        int batchSize = recipe.Training.BatchSize, stepsPerEpoch = data.Count / batchSize;
        long steps = (long)recipe.Training.Epochs * stepsPerEpoch, step = 0;

        Preprocessing preprocessing = data.Measure(recipe.Views.HighPass, cancel);
        bool goesOn = resume && File.Exists(folder.Checkpoint);
        BackboneOptions options = (goesOn ? recipe.Backbone with { Weights = "" } : recipe.Backbone).InPretraining;
        Func<nn.Module<Tensor, Tensor>> makeBackbone = ownBackbone is null
            ? () => options.Create(data.Channels, data.Size, seed)
            : () => Drawn(ownBackbone(), seed);
        var setup = new MethodSetup(makeBackbone, Encoder.WidthOf(makeBackbone, data.Channels, data.Size), seed)
        {
            Samples = data.Count,
            TargetViews = recipe.Views.TargetViewCount(data.Size),
        };
        using SiameseMethod method = recipe.Method.Create(setup);
        method.to(device);
        using Optimizer optimizer = recipe.Optimizer.Create(method);
        var viewMaker = new ViewMaker(recipe.Views, preprocessing, data.Size, seed);
        var schedule = new LearningRateSchedule(recipe.Optimizer.LearningRate, (long)(recipe.Optimizer.WarmupEpochs * stepsPerEpoch), steps,
            recipe.Optimizer.LearningRate * recipe.Optimizer.FinalShare);
        var checkpoint = new Checkpoint(folder, recipe, data, method, optimizer);
        double lengthAtStart = RunHealth.Length(method.Encoder);
        if (goesOn) step = checkpoint.Load();
        if (!folder.HasRun) RunFolder.WriteText(folder.Recipe, OptionsJson.Write(recipe).ToJsonString(OptionsJson.Serializer) + "\n");

        using var metrics = new MetricsLog(folder.Metrics, checkpoint.MetricsLength);
        using var loader = new BatchLoader(data, batchSize, seed, startEpoch: (int)(step / stepsPerEpoch), startStep: (int)(step % stepsPerEpoch));
        var meter = new StepMeter(time ?? TimeProvider.System, progress, steps, stepsPerEpoch, batchSize, step);
        double? last = null;
        bool stop = false;

        method.train();
        while (step < steps && !stop)
        {
            using var scope = NewDisposeScope();
            int epoch = (int)(step / stepsPerEpoch);
            Data.Batch batch = loader.Next(CancellationToken.None);
            meter.Mark(StepPhase.Waiting);

            Tensor[] views = viewMaker.MakeViews(batch.Images, batch.SampleIds, epoch);   // V x (N, C, S, S)
            meter.Mark(StepPhase.Views);

            var viewBatch = new ViewBatch([.. views.Select(view => view.to(device))])
            {
                Indexes = tensor(Array.ConvertAll(batch.Indexes, i => (long)i), device: device),
                Labels = recipe.Method.NeedsLabels ? tensor(Array.ConvertAll(batch.Indexes, i => (long)data.Labels![i]), device: device) : null,
                Step = step,
                StepsPerEpoch = stepsPerEpoch,
            };
            LossTerms terms = method.Loss(viewBatch);
            double loss = terms.Total.ToDouble();
            if (!double.IsFinite(loss)) throw NotFinite("loss", step, terms, folder, checkpoint.Exists);
            terms.Total.backward();
            double gradientNorm = GradientClipping.Clip(method.parameters(), recipe.Optimizer.ClipNorm); // waits for a GPU
            meter.Mark(StepPhase.Network);

            double learningRate = schedule.At(step);
            if (!double.IsFinite(gradientNorm)) throw NotFinite("gradient", step, terms, folder, checkpoint.Exists);
            optimizer.Step(learningRate);
            optimizer.ZeroGrad();
            method.AfterStep((double)(step + 1) / steps);
            step++;
            meter.Mark(StepPhase.Optimizer);

            bool epochEnds = step % stepsPerEpoch == 0;
            if (epochEnds || step % recipe.Training.LogSteps == 0)
            {
                List<(string Name, double Value)> numbers = [.. terms.Terms.Select(t => (t.Name, t.Value.ToDouble()))];
                if (epochEnds)
                {
                    numbers.AddRange(RunHealth.Measure(terms.Embeddings, batchSize, method.LossWhenCollapsed(viewBatch)));
                    numbers.Add(("relative_step", RunHealth.RelativeStepOf(lengthAtStart, RunHealth.Length(method.Encoder), step)));
                }
                metrics.Write(step, epoch, learningRate, gradientNorm, loss, numbers);
            }
            meter.Mark(StepPhase.Logging);

            stop = cancel.IsCancellationRequested; // looked at once a step: what is left is what was saved
            bool due = epochEnds || (recipe.Training.CheckpointSteps > 0 && step % recipe.Training.CheckpointSteps == 0);
            if (due || stop)
            {
                if (!checkpoint.IsFinite()) throw NotFinite("state of the network", step - 1, terms, folder, checkpoint.Exists);
                checkpoint.Save(step, metrics);
                FreedMemory.Release();
            }
            meter.Mark(StepPhase.Checkpoint);
            meter.Report(step, loss);
            last = loss;
        }

        if (step == steps) Encoder.Save(folder.Encoder, method.Encoder, recipe, preprocessing, data.Channels, data.Size);
        return new PretrainingResult(step == steps, step, steps, last, meter.Timing);
    }

    private static nn.Module<Tensor, Tensor> Drawn(nn.Module<Tensor, Tensor> network, ulong seed)
    {
        Initialization.Draw(network, seed);
        return network;
    }

    private static void CheckFits(Recipe recipe, ImageDataset data)
    {
        Fault[] faults = [.. recipe.FaultsFor(data.Size, data.Channels)];
        if (faults.Length > 0) throw new RecipeException(faults);
        if (recipe.Method.NeedsLabels && (data.Labels is null || data.Labels.Any(l => l < 0)))
            throw new RunException($"{OptionsJson.KindOf(recipe.Method)} learns from classes, but "
                + (data.Labels is null ? $"{data.Name} has no labels" : $"{data.Labels.Count(l => l < 0)} of {data.Count} images of {data.Name} have no label")
                + ". Sort the images into one folder per class, or choose a method that needs no labels, such as --set method=simclr.");
        if ((data.Range.Min < 0 || data.Range.Max > 1) && recipe.Views.Branches.Any(b => b.NeedsUnitRange))
            throw new RunException($"Colour jitter and solarisation are defined for pixels from 0 to 1, but those of {data.Name} go from {data.Range.Min:G4} to "
                + $"{data.Range.Max:G4}. Set their probabilities to 0, or scale the images.");
        if (data.Count < recipe.Training.BatchSize)
            throw new RunException($"A step needs training.batchSize = {recipe.Training.BatchSize} images, but {data.Name} has {data.Count} readable. "
                + (data.Count < 4 ? "Give more images." : $"Give more images, or --set training.batchSize={data.Count / 2}."));
        double batchBytes = 4.0 * recipe.Training.BatchSize * data.Channels * data.Size * data.Size;
        if (batchBytes > Array.MaxLength)
            throw new RunException($"A batch must be below 2 GiB, but training.batchSize = {recipe.Training.BatchSize} images of {data.Channels} x {data.Size} x "
                + $"{data.Size} have {batchBytes / (1L << 30):F1} GiB. Lower training.batchSize or data.size.");
    }

    /// <summary>Refuses a folder that holds another run, and a GPU that is not there; costs nothing, so ask before images are decoded.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="folder">Where.</param>
    /// <param name="resume">Whether the run in it is to go on.</param>
    /// <exception cref="RunException">There is a run and <paramref name="resume"/> is off, or its recipe is another, or there is no such device.</exception>
    public static void CheckFolder(Recipe recipe, RunFolder folder, bool resume)
    {
        recipe.Training.FindDevice();
        if (!folder.HasRun) return;
        if (!resume) throw new RunException($"{folder.Path} already holds a run. Continue it with --resume, or choose another --out.");
        JsonObject stored = OptionsJson.Write(Recipe.Reread(folder.ReadRecipe(), [])); // options that are newer than the run have their defaults
        Fault[] differences = [.. RecipeTree.Differences(stored, OptionsJson.Write(recipe)).Where(d => ChangesTheRun(d.Path))];
        if (differences.Length > 0)
            throw new RunException($"{folder.Path} holds a run with another recipe. Resume it without these changes, or choose another --out:\n"
                + string.Join('\n', differences.Select(d => $"  {d.Path}: {d.Problem}")));
    }

    /// <summary>Whether an option decides what a run learns, and not only where its images and its network are or how it is judged.</summary>
    private static bool ChangesTheRun(string path) =>
        path is not ("data.threads" or "data.memoryGiB" or "training.device") && !path.StartsWith("evaluation.", StringComparison.Ordinal);

    private static RunException NotFinite(string what, long step, LossTerms terms, RunFolder folder, bool saved) => new(
        $"The {what} is not finite at step {step + 1} ("
        + string.Join(", ", terms.Terms.Select(t => $"{t.Name} = {t.Value.ToDouble():G4}"))
        + "). The usual cause is too high a learning rate: lower optimizer.learningRate, or raise optimizer.warmupEpochs. "
        + (saved ? $"The last good state is in {folder.Checkpoint}." : "No checkpoint had been written yet."));
}
