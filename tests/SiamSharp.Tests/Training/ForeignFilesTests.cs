using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Training;

/// <summary>Files of another run that were copied into a run's folder.</summary>
public sealed class ForeignFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("foreign").FullName;
    private static readonly Lazy<ImageDataset> s_images = new(() =>
        ImageDataset.Load(ImageSources.Open("fashion-mnist:sample#..64", new DataOptions()), new DataOptions { Threads = 1 }));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Recipe Tiny(int seed, int epochs) => Recipe.Resolve([OptionsJson.Parse($$"""
        { "backbone": { "width": 4, "depths": [1, 1] },
          "training": { "epochs": {{epochs}}, "batchSize": 32, "threads": 1, "logSteps": 1, "seed": {{seed}} } }
        """, "tiny")], [], options => ImageSources.Open("fashion-mnist:sample#..64", options));

    private RunFolder Run(int seed, int epochs)
    {
        var folder = new RunFolder(Path.Combine(_folder, $"{seed}"));
        Assert.True(Pretraining.Run(Tiny(seed, epochs), s_images.Value, folder).Finished);
        return folder;
    }

    [Fact]
    public void Resume_CheckpointOfAnotherRun_IsRefusedAndNothingIsTouched()
    {
        RunFolder own = Run(1, epochs: 1), other = Run(2, epochs: 1);
        File.Copy(other.CheckpointPath, own.CheckpointPath, overwrite: true);
        File.Delete(own.PreviousCheckpointPath);
        byte[][] before = [File.ReadAllBytes(own.EncoderPath), File.ReadAllBytes(own.MetricsPath),
            File.ReadAllBytes(own.RecipePath)];
        foreach (int epochs in new[] { 1, 2 })
        {
            string message =
                Assert.Throws<RunException>(() => Pretraining.Run(Tiny(1, epochs), s_images.Value, own, resume: true)).Message;
            Assert.Contains(
                $"{own.CheckpointPath} is of another run, it seems: neither recipe.json nor metrics.jsonl fits it.", message);
        }
        Assert.Equal(
            before, [File.ReadAllBytes(own.EncoderPath), File.ReadAllBytes(own.MetricsPath), File.ReadAllBytes(own.RecipePath)]);
    }

    [Fact]
    public void Resume_LastCheckpointOfAnotherRun_GoesOnFromTheOneBefore()
    {
        RunFolder own = Run(1, epochs: 2), other = Run(2, epochs: 2);
        byte[] encoder = File.ReadAllBytes(own.EncoderPath);
        File.Copy(other.CheckpointPath, own.CheckpointPath, overwrite: true);
        var notes = new List<string>();
        Assert.True(Pretraining.Run(Tiny(1, epochs: 2), s_images.Value, own, resume: true, notes: new Told(notes)).Finished);
        Assert.Contains(notes, note => note.Contains("is of another run", StringComparison.Ordinal)
            && note.EndsWith("The run goes on from the checkpoint before it, at step 2.", StringComparison.Ordinal));
        Assert.Equal(encoder, File.ReadAllBytes(own.EncoderPath));
    }

    [Fact]
    public void Report_ScoresOfAnotherRun_AreLeftOutAndTold()
    {
        RunFolder own = Run(1, epochs: 1), other = Run(2, epochs: 1);
        other.AddScores(RunEvaluation.Evaluate(other, Tiny(2, 1) with
        {
            Evaluation = new EvaluationOptions { K = 5, Baselines = false }
        }, [Protocol.RankMe], s_images.Value,
            ImageDataset.Load(ImageSources.Open("fashion-mnist:sample#64..96", new DataOptions()),
                new DataOptions { Threads = 1 })));
        Assert.Empty(other.UnreadableFiles());
        Assert.Single(other.ReadScores());
        File.Copy(other.EvaluationPath, own.EvaluationPath);
        Assert.Contains("holds scores of another encoder", Assert.Single(own.UnreadableFiles()));
        RunReport.Write(other, null);
        RunReport.Write(own, null);
        Assert.Contains("pretrained encoder", File.ReadAllText(other.ReportPath));
        Assert.DoesNotContain("pretrained encoder", File.ReadAllText(own.ReportPath));
    }

    [Fact]
    public void Report_MetricsOfAnotherRun_KeepsTheCurveThatWasDrawn()
    {
        RunFolder own = Run(1, epochs: 2), other = Run(2, epochs: 1);
        RunReport.Write(own, s_images.Value);
        byte[] curve = File.ReadAllBytes(own.LossCurvePath);
        File.Copy(other.MetricsPath, own.MetricsPath, overwrite: true);
        RunReport.Write(own, null);
        Assert.Contains("it was cut short, or is of another run", Assert.Single(own.MetricsProblems()));
        Assert.Equal(curve, File.ReadAllBytes(own.LossCurvePath));
    }

    [Fact]
    public void Resume_LongerMetricsOfAnotherRun_AreCutAtALine()
    {
        RunFolder own = Run(1, epochs: 1);
        File.WriteAllText(own.MetricsPath, new string(' ', 20) + File.ReadAllText(own.MetricsPath));
        Assert.True(Pretraining.Run(Tiny(1, epochs: 2), s_images.Value, own, resume: true).Finished);
        Assert.EndsWith("}", File.ReadAllLines(own.MetricsPath)[0]);
        Assert.All(File.ReadAllLines(own.MetricsPath), line => Assert.Equal(1, line.Count(c => c == '{')));
    }

    private sealed class Told(List<string> notes) : IProgress<string>
    {
        public void Report(string value) => notes.Add(value);
    }
}
