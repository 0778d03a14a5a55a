using System.Globalization;
using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;
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
public static class Pretraining
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
        BackboneOptions options = (saved is not null ? recipe.Backbone with { Weights = "" } : recipe.Backbone).InPretraining;
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
        if (longer) TrainLonger();
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

        // Encoder and scores of the shorter run are kept under its number of epochs, for they are not the longer one's.
        void TrainLonger()
        {
            Recipe before = Recipe.Reread(saved!.Recipe, []);
            string suffix = $"{before.Training.Epochs}-epochs";
            string[] kept = [.. new[] { folder.EncoderPath, folder.EvaluationPath }.Where(File.Exists), .. folder.ConfusionPaths];
            FileWriting.Writing(folder.Path, () =>
            {
                foreach (string file in kept)
                    File.Move(file, Path.ChangeExtension(file, suffix + Path.GetExtension(file)), overwrite: true);
            });
            checkpoint.Save(step, metrics, recipe, start);
            string Rate(LearningRateSchedule rates, long at) => rates.At(at).ToString("G3", CultureInfo.InvariantCulture);
            string goesOn = Rate(schedule, step), fell = Rate(ScheduleOf(before, stepsPerEpoch), step - 1);
            notes?.Report("The finished run is trained longer: "
                + $"{recipe.Training.Epochs} epochs instead of {before.Training.Epochs}. The learning rate goes on at {goesOn}, "
                + $"as in a run of {recipe.Training.Epochs} epochs at this "
                + $"point{(fell == goesOn ? "" : $"; it had fallen to {fell}")}. "
                + (kept.Length > 0 ? "What the shorter run gave is kept: "
                    + string.Join(", ",
                        kept.Select(f => Path.GetFileName(Path.ChangeExtension(f, suffix + Path.GetExtension(f))))) + "."
                    : ""));
        }
    }

    private sealed class MeasuringPart(IProgress<TrainingProgress> progress, long steps) : IProgress<double>
    {
        public void Report(double value) => progress.Report(new(0, steps, 0, double.NaN, 0, TimeSpan.Zero) { Measured = value });
    }

    private static nn.Module<Tensor, Tensor> Drawn(nn.Module<Tensor, Tensor> network, ulong seed)
    {
        Initialization.Draw(network, seed);
        return network;
    }

    private static LearningRateSchedule ScheduleOf(Recipe recipe, int stepsPerEpoch) => new(
        recipe.Optimizer.LearningRate, (long)(recipe.Optimizer.WarmupEpochs * stepsPerEpoch),
        (long)recipe.Training.Epochs * stepsPerEpoch, recipe.Optimizer.LearningRate * recipe.Optimizer.FinalShare);

    /// <summary>Refuses images that cannot be trained on with this recipe, and weights that are not there,
    /// before an image is decoded.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="source">The images.</param>
    /// <exception cref="OptionsException">The weights to begin with are not there.</exception>
    /// <exception cref="RunException">Labels are missing that the method learns from.</exception>
    public static void CheckSource(Recipe recipe, IImageSource source)
    {
        if (recipe.Backbone.Weights.Length > 0 && BackboneOptions.ProblemOfWeights(recipe.Backbone.Weights) is { } problem)
            throw new OptionsException([new Fault("backbone.weights", problem)]);
        if (recipe.Method.NeedsLabels && source.ClassNames is null) throw NoLabels(recipe, $"{source.Name} has no labels");
    }

    private static void CheckCount(Recipe recipe, string name, int count)
    {
        if (TooFew(recipe, name, count, batch => $"--set training.batchSize={batch}") is { } problem)
            throw new RunException(problem);
    }

    /// <summary>Why there are too few images for a step of a recipe, and what to do.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="name">What the images are called.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="set">How a batch size is set there, as a part of the advice.</param>
    /// <returns>Null where there are enough.</returns>
    internal static string? TooFew(Recipe recipe, string name, int count, Func<int, string> set)
    {
        if (count >= recipe.Training.BatchSize) return null;
        bool Works(int batch) => batch >= 2 && !recipe.Method.FaultsFor(batch).Any();
        string advice = count < 4
            ? Works(2) ? $"Give more images; {set(2)} works from 2 images on." : "Give more images."
            : Works(count / 2) ? $"Give more images, or {set(count / 2)}."
            : Works(count) ? $"Give more images, or {set(count)}." : "Give more images.";
        return $"A step needs training.batchSize = {recipe.Training.BatchSize} images, "
            + $"but {name} has {Plural.Of(count, "readable image")}. {advice}";
    }

    private static RunException NoLabels(Recipe recipe, string why) =>
        new($"{OptionsJson.KindOf(recipe.Method)} learns from classes, but {why}"
            + ". Sort the images into one folder per class, or choose a method that needs no "
            + "labels, such as --set method=simclr.");

    /// <summary>Refuses images whose values are out of the range for which a recipe's views are defined.</summary>
    /// <exception cref="RunException">They are not from 0 to 1, and a view changes colours.</exception>
    internal static void CheckRange(Recipe recipe, ImageDataset data)
    {
        if ((data.Range.Min < 0 || data.Range.Max > 1) && recipe.Views.Branches.Any(b => b.NeedsUnitRange))
            throw new RunException("Colour jitter and solarisation are defined for pixels from 0 to 1, "
                + $"but those of {data.Name} go from {data.Range.Min:G4} to "
                + $"{data.Range.Max:G4}{(data.StoredRange == data.Range ? "" : " when they are resized")}. Leave them out, "
                + string.Join(' ', recipe.Views.Branches.SelectMany((b, i) =>
                    b.NeedingUnitRange.Select(part => $"--set views.branches.{i}.{part}.probability=0"))) + ", "
                + $"or change the images: {DataNotes.ToUnit(data.StoredRange.Min, data.StoredRange.Max)}.");
    }

    /// <summary>Refuses images that do not fit the recipe.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="data">The images.</param>
    /// <exception cref="OptionsException">Their size or channels do not fit.</exception>
    /// <exception cref="RunException">They are too few or too large, their values are out of range, or labels are missing that
    /// the method learns from.</exception>
    public static void CheckFits(Recipe recipe, ImageDataset data)
    {
        Fault[] faults = [.. recipe.FaultsFor(data.Size, data.Channels)];
        if (faults.Length > 0) throw new OptionsException(faults);
        if (recipe.Method.NeedsLabels && (data.Labels is null || data.Labels.Any(l => l < 0)))
            throw NoLabels(recipe, data.Labels is null ? $"{data.Name} has no labels"
                : $"{data.Labels.Count(l => l < 0)} of {Plural.Of(data.Count, "image")} of {data.Name} have no label");
        CheckRange(recipe, data);
        CheckCount(recipe, data.Name, data.Count);
        double batchBytes = 4.0 * recipe.Training.BatchSize * data.Channels * data.Size * data.Size;
        if (batchBytes > Array.MaxLength)
            throw new RunException($"A batch must be below 2 GiB, but training.batchSize = {recipe.Training.BatchSize} images "
                + $"of {data.Channels} x {data.Size} x "
                + $"{data.Size} have {batchBytes / (1L << 30):F1} GiB. Lower training.batchSize or data.size.");
    }

    /// <summary>Refuses a folder that holds another run or in which one is at work, and a GPU that is not there; costs nothing
    /// beside a look at the checkpoint, so ask before images are decoded.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="folder">Where.</param>
    /// <param name="resume">Whether the run in it is to go on.</param>
    /// <exception cref="RunException">There is a run and <paramref name="resume"/> is off, or its recipe is another,
    /// or it cannot be read, or there is no such device.</exception>
    public static void CheckFolder(Recipe recipe, RunFolder folder, bool resume)
    {
        OptionsJson.Check(recipe);
        recipe.Training.FindDevice();
        folder.CheckFree();
        CheckFolder(recipe, folder, resume, mayTrainLonger: true, out _, out _);
    }

    /// <summary>Refuses a folder whose run is not exactly this one.</summary>
    /// <exception cref="RunException">As <see cref="CheckFolder(Recipe, RunFolder, bool)"/>; also where the run is finished and
    /// more epochs are asked for.</exception>
    internal static void CheckSame(Recipe recipe, RunFolder folder)
    {
        recipe.Training.FindDevice();
        CheckFolder(recipe, folder, resume: true, mayTrainLonger: false, out _, out _);
    }

    private static void CheckFolder(
        Recipe recipe, RunFolder folder, bool resume, bool mayTrainLonger, out SavedRun? saved, out string? restored)
    {
        (saved, restored) = (null, null);
        if (!resume && (folder.HasRun || File.Exists(folder.EncoderPath)))
            throw new RunException($"{folder.Path} already holds a run. Continue it with --resume, or choose another --out.");
        if (!folder.HasRun && folder.FinishedWithoutCheckpoint is null) return;
        saved = SavedRun.Find(folder);
        if (!folder.HasRun)
            throw new RunException($"{folder.Path} holds the encoder of a finished run, but neither its recipe nor its "
                + "checkpoint, so that the run cannot go on. Choose another --out.");
        JsonObject stored = folder.ReadRecipe(out restored, out _);
        Fault[] differences = DifferencesOf(stored, recipe);
        if (differences.Length == 0) return;
        Recipe before = Recipe.Reread(stored, []);
        if (folder.FinishedWithoutCheckpoint is { } finished)
            throw new RunException($"{finished} It cannot become another or be trained longer "
                + $"({string.Join("; ", differences.Select(d => $"{d.Path}: {d.Problem}"))}). Choose another --out.");
        bool more = mayTrainLonger && recipe.Training.Epochs > before.Training.Epochs,
            longer = more && differences is [{ Path: "training.epochs" }];
        bool done = saved is not null && saved.Step == saved.Steps(before);
        if (longer && done) return; // a finished run may be trained longer
        if (more && done) differences = [.. differences.Where(d => d.Path != "training.epochs")]; // that alone would be allowed
        throw new RunException(
            $"{folder.Path} holds a run with another recipe. Resume it without these changes, or choose another --out:\n"
                + string.Join('\n', differences.Select(d => $"  {d.Path}: {d.Problem}"))
                + (longer
                    ? "\nIt can be trained longer once it is finished: "
                        + "give the command with --resume and its own number of epochs first." : ""));
    }

    /// <summary>Where a stored recipe and one that is asked for differ in what decides a run.</summary>
    internal static Fault[] DifferencesOf(JsonObject stored, Recipe asked) =>
    [
        // Options that are newer than the run have their defaults.
        .. OptionTree.Differences(OptionsJson.Write(Recipe.Reread(stored, [])), OptionsJson.Write(asked))
            .Where(d => ChangesTheRun(d.Path)),
    ];

    /// <summary>Whether an option decides what a run learns, and not only where its images and its network are
    /// or how it is judged.</summary>
    private static bool ChangesTheRun(string path) =>
        path is not ("data.threads" or "data.memoryGiB" or "training.device")
            && !path.StartsWith("evaluation.", StringComparison.Ordinal);
}
