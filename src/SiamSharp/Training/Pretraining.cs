using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Methods;
using SiamSharp.Native;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Self-supervised pretraining: the one loop.</summary>
public static partial class Pretraining
{
    /// <summary>Pretrains an encoder on the images of a source, in a folder of its own.</summary>
    /// <remarks>
    /// Decodes the images, then does what the other overload does. Lets the C library keep freed memory, as
    /// <see cref="FreedMemory.Keep"/> says.
    /// </remarks>
    /// <param name="recipe">From <see cref="Recipe.For"/> with the same source.</param>
    /// <param name="source">The images.</param>
    /// <param name="folder">The folder of the run; made where it is not there.</param>
    /// <param name="resume">Go on with the run in the folder, if there is one.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="cancellationToken">Stops; everything is saved, and <paramref name="resume"/> goes on.</param>
    /// <exception cref="OptionsException">An option is out of its range, or the parts do not fit each other.</exception>
    /// <exception cref="DataSourceException">No image is readable.</exception>
    /// <exception cref="RunException">The folder holds another run, the loss is not finite, the disk is full.</exception>
    public static PretrainingResult Run(Recipe recipe, IImageSource source, string folder, bool resume = false,
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var run = new RunFolder(folder);
        CheckFolder(recipe, run, resume);
        CheckSource(recipe, source);
        FreedMemory.Keep();
        ImageDataset images = ImageDataset.Load(source, recipe.Data, cancellationToken: cancellationToken);
        return Run(recipe, images, run, resume, progress, cancellationToken: cancellationToken);
    }

    /// <summary>Pretrains an encoder, or goes on with a run that was stopped.</summary>
    /// <remarks>
    /// Repeats bit by bit on the processor for the same recipe, images and number of threads, however often it is stopped and
    /// resumed: every draw is a function of (seed, epoch, sample, view) and everything else is in the checkpoint. A finished run
    /// whose recipe has more epochs than before is trained longer: the learning rate goes on as that of a run of so many epochs
    /// at this point. A batch of which fewer than two images can still be read is passed over.
    /// </remarks>
    /// <param name="recipe">A resolved recipe.</param>
    /// <param name="data">The images; labels are not looked at.</param>
    /// <param name="folder">Where the run is kept.</param>
    /// <param name="resume">Go on from the folder's checkpoint, or from the start when none was written yet.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="time">The clock, for speed and time left only.</param>
    /// <param name="ownBackbone">
    /// A network of your own instead of <see cref="Recipe.Backbone"/>: float32 (N, C, H, W) to (N, D); a new one, in training
    /// mode, at each call, since methods with a target network need two. Its convolutions, linear layers and batch normalisations
    /// are drawn by the run's seed. Dropout in it makes runs differ. For a GPU every tensor that it holds is a registered
    /// parameter or buffer, read through its field in each pass.
    /// </param>
    /// <param name="notes">
    /// Told, in whole sentences, what is worth knowing of a run that goes on: that the last checkpoint was damaged and
    /// the one before is taken, that recipe.json or metrics.jsonl was missing, that images have gone or come, how a
    /// finished run is trained longer.
    /// </param>
    /// <param name="cancellationToken">
    /// Ends the step, or gives it up where it is a long one, saves a checkpoint and returns with
    /// <see cref="PretrainingResult.Finished"/> false.
    /// </param>
    /// <exception cref="RunException">The folder holds another run, the loss is not finite, the disk is full.</exception>
    public static PretrainingResult Run(
        Recipe recipe, ImageDataset data, RunFolder folder, bool resume = false, IProgress<TrainingProgress>? progress = null,
        TimeProvider? time = null, Func<nn.Module<Tensor, Tensor>>? ownBackbone = null, IProgress<string>? notes = null,
        CancellationToken cancellationToken = default)
    {
        OptionsJson.Check(recipe);
        CheckFolder(recipe, folder, resume, mayTrainLonger: true, out _, out _);
        bool startsOver = folder.HasRun;
        if (!startsOver) CheckFits(recipe, data);
        Device device = recipe.Training.FindDevice();
        folder.Create();
        using IDisposable folderLock = folder.Lock();
        CheckFolder(recipe, folder, resume, mayTrainLonger: true, out SavedRun? saved, out string? restored);
        if (folder.FinishedWithoutCheckpoint is { } finished)
        {
            notes?.Report(finished);
            long all = (long)recipe.Training.Epochs * (data.Count / recipe.Training.BatchSize);
            return new PretrainingResult(true, all, all, null, new StepTiming(0, 0, 0, 0, 0, 0, 0), folder.EncoderPath)
            {
                Health = Health()
            };
        }
        if (startsOver && saved is null)
            notes?.Report($"There is no checkpoint in {folder.Path}: the run starts over at step 1.");
        if (saved is not null) data = RunImages.AtStart(folder, data, saved, recipe.Method.NeedsLabels, notes);
        CheckFits(recipe, data);
        recipe.Training.UseThreads();

        using var run = NewDisposeScope();
        ulong seed = (ulong)recipe.Training.Seed;
        int batchSize = recipe.Training.BatchSize, stepsPerEpoch = data.Count / batchSize;
        long steps = (long)recipe.Training.Epochs * stepsPerEpoch, step = 0;

        Preprocessing preprocessing = saved?.Preprocessing ?? data.Measure(recipe.Views.HighPass,
            progress is null ? null : new MeasuringPart(progress, steps), cancellationToken);
        if (saved is null) FirstWeights.Keep(folder, recipe);
        MethodSetup setup = SetupOf(recipe, data, ownBackbone, fromWeights: saved is null);
        using SiameseMethod method = recipe.Method.Create(setup);
        method.to(device);
        using Optimizer optimizer = recipe.Optimizer.Create(method);
        var training = new TrainingStep(recipe, data,
            new ViewMaker(recipe.Views, preprocessing, data.Size, seed), method, optimizer, device);
        LearningRateSchedule schedule = ScheduleOf(recipe, stepsPerEpoch);
        var checkpoint = new Checkpoint(folder, method, optimizer);
        // A run of an earlier version that began from weights does not know their length any more; any other began with these.
        bool drawn = saved is null || recipe.Backbone.Weights.Length == 0;
        var start = new RunStart(data.DataHash, data.Count, preprocessing,
            saved?.LengthAtStart ?? (drawn ? RunHealth.Length(method.Encoder) : null));
        if (saved is not null) checkpoint.Load(saved);
        step = checkpoint.Saved;
        var notFinite = new NotFinite(recipe, data, folder, preprocessing, method);
        notFinite.CheckStart(checkpoint.State(), step);
        // before the log, so that a run that is killed in between is known as one
        if (!File.Exists(folder.RecipePath)) WriteRecipe();
        using var metrics = new MetricsLog(folder.MetricsPath, saved?.MetricsLength ?? 0, saved?.MetricsHash, notes);
        bool longer = saved is not null && step < steps && step == saved.Steps(Recipe.Reread(saved.Recipe, []));
        if (restored is not null) notes?.Report($"{restored}, and recipe.json is written again.");
        if (saved?.Instead is { } damage)
            notes?.Report($"{damage.TrimEnd('.')}. The run goes on from the checkpoint before it, at step {step}.");
        if (longer)
        {
            Recipe before = Recipe.Reread(saved!.Recipe, []);
            string[] kept = KeepShorter(folder, before);
            checkpoint.Save(step, metrics, recipe, start);
            notes?.Report(TrainedLonger(recipe, before, kept, step, stepsPerEpoch));
        }
        if (saved is null || !File.Exists(folder.ImagesPath)) RunImages.Write(folder, data);
        if (restored is not null || longer) WriteRecipe();

        using var loader = new BatchLoader(data, batchSize, seed, startEpoch: (int)(step / stepsPerEpoch),
            startStep: (int)(step % stepsPerEpoch));
        var meter = new StepMeter(time ?? TimeProvider.System, progress, steps, stepsPerEpoch, batchSize, step);
        double? last = null;
        bool stop = false;
        Data.Batch batch;

        method.train();
        while (step < steps && !stop)
        {
            using var scope = NewDisposeScope();
            bool epochEnds = (step + 1) % stepsPerEpoch == 0, canGiveUp = false;
            double learningRate = schedule.At(step), loss = double.NaN;
            try
            {
                batch = loader.Next(cancellationToken);
                meter.Mark(StepPhase.Waiting);
                if (batch.Indexes.Length >= 2) // of one image nothing can be learned
                {
                    training.Make(batch, step, learningRate, After);
                    Log();
                    last = loss;
                }
            }
            catch (OperationCanceledException)
            {
                if (canGiveUp) checkpoint.GoBack();
                break;
            }
            catch (DataSourceException) // the images are gone, what was learned is not
            {
                SaveRest();
                throw;
            }
            step++;

            stop = cancellationToken.IsCancellationRequested; // looked at once after a step: what is left is what was saved
            bool due = epochEnds || (recipe.Training.CheckpointSteps > 0 && step % recipe.Training.CheckpointSteps == 0);
            if (due || stop) Save();
            meter.Mark(StepPhase.Checkpoint);
            meter.Report(step, last ?? double.NaN, checkpoint.Saved);

            void After(StepPhase phase)
            {
                if (phase == StepPhase.Loss) loss = training.Terms.Total.ToDouble();
                meter.Mark(phase);
                // Before the loss nothing has changed yet. A long step is not waited for:
                // the network goes back to what it was before.
                if (phase == StepPhase.Views || (canGiveUp && phase != StepPhase.Optimizer))
                    cancellationToken.ThrowIfCancellationRequested();
                if (phase == StepPhase.Views && cancellationToken.CanBeCanceled && meter.IsLong)
                {
                    checkpoint.Keep();
                    canGiveUp = true;
                }
                if (phase == StepPhase.Loss && !double.IsFinite(loss))
                    throw notFinite.Loss(step, training.Terms, batch, checkpoint.Exists);
                if (phase == StepPhase.Gradient && !double.IsFinite(training.GradientNorm))
                    throw notFinite.Gradient(step, batch, checkpoint.Exists);
            }

            void Log()
            {
                if (epochEnds || (step + 1) % recipe.Training.LogSteps == 0)
                {
                    LossTerms terms = training.Terms;
                    List<(string Name, double Value)> numbers = [.. terms.Terms.Select(t => (t.Name, t.Value.ToDouble()))];
                    if (epochEnds)
                    {
                        numbers.AddRange(RunHealth.Measure(terms.Embeddings, batch.Indexes.Length, training.LossWhenCollapsed));
                        if (start.LengthAtStart is double length)
                            numbers.Add(("relative_step",
                                RunHealth.RelativeStepOf(length, RunHealth.Length(method.Encoder), step + 1)));
                    }
                    metrics.Write(step + 1, (int)(step / stepsPerEpoch), learningRate, training.GradientNorm, loss, numbers);
                }
                meter.Mark(StepPhase.Logging);
            }
        }
        SaveRest();

        if (step == steps) SaveEncoder();
        return new PretrainingResult(step == steps, step, steps, last, meter.Timing, folder.EncoderPath) { Health = Health() };

        string? Health() => RunHealth.Read(folder, recipe)?.Verdict(recipe);

        void SaveRest()
        {
            if (step > checkpoint.Saved) Save();
        }

        void Save()
        {
            if (!checkpoint.IsFinite()) throw notFinite.State(step, checkpoint.State(), checkpoint.Exists);
            checkpoint.Save(step, metrics, recipe, start);
            FreedMemory.Release();
        }

        void SaveEncoder() => Encoder.Save(folder.EncoderPath, method.Encoder, recipe.Backbone, preprocessing, data.Channels,
            data.Size, recipe.Data, data.White,
            // a path is no part of what was learned
            OptionsJson.Write(recipe with { Backbone = recipe.Backbone with { Weights = "" } }).ToJsonString());

        void WriteRecipe() =>
            FileWriting.WriteText(folder.RecipePath, OptionsJson.Write(recipe).ToJsonString(OptionsJson.Serializer) + "\n");
    }
}
