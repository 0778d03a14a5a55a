using System.Diagnostics;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Torture;

/// <summary>Flips single bits of the files of a run, of a classifier and of indexes: each must be told by whoever reads the file,
/// or change nothing.</summary>
internal static class Flips
{
    internal static int Run(Bounds bounds)
    {
        string home = Directory.CreateTempSubdirectory("flips").FullName;
        var run = new RunFolder(Path.Combine(home, "run"));
        IImageSource? source = null;
        Recipe recipe = Recipe.Resolve([OptionsJson.Parse("""
            { "backbone": { "width": 8, "depths": [1, 1] },
              "training": { "epochs": 2, "batchSize": 32, "threads": 1, "checkpointSteps": 1, "logSteps": 1 } }
            """, "flips")], [], options => source = ImageSources.Open("fashion-mnist:sample#..64", options));
        ImageDataset images = ImageDataset.Load(source!, recipe.Data);
        Pretraining.Run(recipe, images, run);
        string classifier = Path.Combine(home, "classifier.safetensors");
        using (Classifier fitted = Classifier.Fit(Encoder.Load(run.EncoderPath), images, recipe.Data).Classifier)
            fitted.Save(classifier);
        JsonObject asked = WhatDecides(run);
        string npy = Path.Combine(home, "x.npy"), parquet = Path.Combine(home, "x.parquet");
        using (Encoder encoder = Encoder.Load(run.EncoderPath))
        {
            using var embedder = new Embedder(encoder);
            foreach (string index in new[] { npy, parquet })
                Embedding.Write(index, embedder, "run", recipe.Data, source!, batchSize: 16);
        }

        var fewShot = new EvaluationOptions { Shots = [1, 2], Draws = 3 };
        string draws = FewShotDraws.For(images, fewShot).ToJson();
        FileWriting.WriteText(run.DrawsPath, draws);
        EvaluationOptions drawn = fewShot with { DrawsFile = run.DrawsPath };
        run.AddScores([new Score
        {
            Protocol = "knn",
            Encoder = "pretrained",
            Value = 0.8123,
            K = 20,
            Seed = 1,
            TrainCount = 64,
            TestCount = 64,
            DataHash = images.DataHash
        }]);
        IReadOnlyList<Score> scores = run.ReadScores();

        // Each file, and a check that is true where the flip was told or did no harm.
        (string File, Func<bool> IsTold)[] files =
        [
            (run.EncoderPath, () => Refused(() => Encoder.Load(run.EncoderPath).Dispose())),
            (classifier, () => Refused(() => Classifier.Load(classifier).Dispose())),
            (run.CheckpointPath, () =>
                Refused(() => SafeTensors.Read(run.CheckpointPath).Dispose()) && JsonNode.DeepEquals(asked, WhatDecides(run))),
            (run.PreviousCheckpointPath, () => Refused(() => SafeTensors.Map(run.PreviousCheckpointPath).Dispose())),
            (Path.Combine(run.Path, "images.safetensors"),
                () => Refused(() => SafeTensors.Map(Path.Combine(run.Path, "images.safetensors")).Dispose())),
            (run.RecipePath, () => JsonNode.DeepEquals(asked, WhatDecides(run))),
            (npy, () => Refused(() => EmbeddingTable.Read(npy).Dispose())),
            (EmbeddingFile.NamesOf(npy), () => Refused(() => EmbeddingTable.Read(npy).Dispose())),
            // blanks between words
            (EmbeddingFile.OriginOf(npy), () => Refused(() => EmbeddingTable.Read(npy).Dispose())
                || IsSame(EmbeddingTable.Read(npy), EmbeddingTable.Read(parquet))),
            (parquet, () => Refused(() => EmbeddingTable.Read(parquet).Dispose())),
            (run.MetricsPath, () => run.MetricsProblems().Count > 0),
            // blanks between words, and the name of the hash itself
            (run.EvaluationPath, () => Refused(() => run.ReadScores()) || run.ReadScores().SequenceEqual(scores)),
            (run.DrawsPath,
                () => Refused(() => FewShotDraws.For(images, drawn)) || FewShotDraws.For(images, drawn).ToJson() == draws),
        ];
        var clock = Stopwatch.StartNew();
        var silent = new List<string>();
        int done = 0;
        for (; done < bounds.Count && (bounds.Seconds == 0 || clock.Elapsed.TotalSeconds < bounds.Seconds); done++)
        {
            Random random = Bounds.Draw(bounds.Seed, done);
            var (file, isTold) = files[done % files.Length];
            byte[] whole = File.ReadAllBytes(file), flipped = [.. whole];
            int bit = random.Next(whole.Length * 8);
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(file, flipped);
            if (!isTold()) silent.Add($"{Path.GetFileName(file)}, bit {bit % 8} of byte {bit / 8}");
            File.WriteAllBytes(file, whole);
        }
        Directory.Delete(home, recursive: true);
        Console.WriteLine($"flips: {done} bits of {files.Length} files, {silent.Count} of them used in silence; "
            + $"seed {bounds.Seed}, {clock.Elapsed.TotalSeconds:F0} seconds.");
        foreach (string one in silent) Console.WriteLine(one);
        return silent.Count == 0 ? 0 : 1;
    }

    /// <summary>The run's recipe without what may be given anew with each command.</summary>
    private static JsonObject WhatDecides(RunFolder run)
    {
        JsonObject recipe = run.ReadRecipe();
        recipe.Remove("evaluation");
        foreach (string key in new[] { "threads", "memoryGiB" }) recipe["data"]!.AsObject().Remove(key);
        recipe["training"]!.AsObject().Remove("device");
        return recipe;
    }

    private static bool IsSame(EmbeddingTable a, EmbeddingTable b)
    {
        using var _ = a;
        using var other = b;
        return a.Origin == b.Origin && a.Paths.SequenceEqual(b.Paths) && a.Labels.SequenceEqual(b.Labels)
            && Enumerable.Range(0, a.Count).All(row => a[row].SequenceEqual(b[row]));
    }

    /// <summary>Whether reading ends with one of the exceptions that it documents; any other ends the whole.</summary>
    private static bool Refused(Action read)
    {
        try
        {
            read();
            return false;
        }
        catch (Exception e) when (e is SafeTensorsException or RunException or EmbeddingFileException or DataSourceException)
        {
            return true;
        }
    }
}
