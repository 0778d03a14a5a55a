using System.Globalization;
using SiamSharp.Data;
using SiamSharp.Messages;

namespace SiamSharp.Evaluation;

/// <summary>What is known of images to judge with before one of them is decoded, or of those that were.</summary>
/// <param name="Name">As the user named them.</param>
/// <param name="Count">Images.</param>
/// <param name="Labels">One for each image, -1 = none; null where the source has none.</param>
/// <param name="ClassNames">In label order; null where the source has none.</param>
/// <param name="Channels">Of an image; 0 = not known.</param>
internal sealed record EvaluationSet(string Name, int Count, int[]? Labels, IReadOnlyList<string>? ClassNames, int Channels)
{
    private const int HeadersRead = 64;

    internal static EvaluationSet Of(ImageDataset data) =>
        new(data.Name, data.Count, data.Labels?.ToArray(), data.ClassNames, data.Channels) { EmptyClasses = data.EmptyClasses };

    internal static EvaluationSet Of(IImageSource source, DataOptions options) => new(source.Name, source.Count,
        source.ClassNames is null ? null : [.. Enumerable.Range(0, source.Count).Select(source.LabelOf)], source.ClassNames,
        options.Channels > 0 ? options.Channels : ChannelsOf(source));

    /// <summary>Classes with an image, and how many.</summary>
    internal IReadOnlyList<(string Name, int Images)> Classes => Labels is null ? [] :
        [.. Labels.Where(l => l >= 0).CountBy(l => l).OrderBy(c => c.Key).Select(c => (ClassNames![c.Key], c.Value))];

    /// <summary>As <see cref="ImageDataset.EmptyClasses"/>; nothing where no image was decoded yet.</summary>
    internal (IReadOnlyList<string> Absent, IReadOnlyList<string> Unreadable) EmptyClasses { get; init; } = ([], []);

    internal int Labelled => Labels!.Count(l => l >= 0);

    /// <summary>Classes of one image.</summary>
    private int LabelsOnce => Classes.Count(c => c.Images == 1);

    /// <summary>Why these images cannot be judged with; all there is to mend.</summary>
    /// <param name="train">For the classifiers.</param>
    /// <param name="test">To be judged.</param>
    /// <param name="protocols">How.</param>
    /// <param name="options">Neighbours and shots.</param>
    /// <param name="channels">The encoder's; 0 = not known.</param>
    internal static IEnumerable<string> Faults(
        EvaluationSet train, EvaluationSet test, IReadOnlyList<Protocol> protocols, EvaluationOptions options, int channels)
    {
        foreach (EvaluationSet set in train.Name == test.Name ? [train] : new[] { train, test })
        {
            if (set.Labels is null)
                yield return $"{set.Name} has no labels, and judging needs them. {LabelledImages.HowToLabel(set.Name)}";
            else if (set.Classes.Count == 0)
                yield return $"None of {Plural.Of(set.Count, "image")} of {set.Name} has a label, and judging needs them.";
            if (channels > 0 && set.Channels > 0 && set.Channels != channels)
                yield return Features.OtherChannels(channels, set.Name, set.Channels);
        }
        if (train.Name == test.Name) yield return EveryTestImage(test.Name, train.Name);
        if (train.Classes.Count == 0 || test.Classes.Count == 0) yield break;
        if (train.Classes.Count < 2)
            yield return $"Judging needs 2 or more classes, but the training images have one: {train.Classes[0].Name}. "
                + $"Give images of others too; where the classes are sub-folders of {train.Classes[0].Name}, "
                + "name that folder as the source.";
        string[] known = [.. train.Classes.Select(c => c.Name)], judged = [.. test.Classes.Select(c => c.Name)];
        if (!judged.Any(known.Contains) && train.LabelsOnce + test.LabelsOnce > (known.Length + judged.Length) / 2)
            yield return EachItsOwn(known);
        else if (!judged.Any(known.Contains))
            yield return $"No class of the test images ({Names(judged)}) is among those of the training images ({Names(known)}). "
                + "Give both sets the same class "
                + "names"
                + (judged.Any(name => known.Contains(name, StringComparer.OrdinalIgnoreCase)) ? ", capitals included" : "") + "; "
                + "#train and #test behind a source divide every class, #FIRST..END goes by the order of the files.";
        if (protocols.Contains(Protocol.Knn) && options.K > train.Labelled)
            yield return $"evaluation.k = {options.K} neighbours, "
                + $"but there are only {Plural.Of(train.Labelled, "labelled training image")}: "
                + $"give fewer, such as --set evaluation.k={KFor(train.Labelled)}.";
        if (protocols.Contains(Protocol.FewShot) && options.DrawsFile.Length == 0
            && FewShot.Fault(train.Classes, options.Shots.Max()) is { } small)
            yield return small;
        if (protocols.Contains(Protocol.FewShot) && options.DrawsFile.Length > 0 && !File.Exists(options.DrawsFile))
            yield return $"evaluation.drawsFile {options.DrawsFile} "
                + $"{(Directory.Exists(options.DrawsFile) ? "is a folder" : "does not exist")}. "
                + "Give the draws.json of a run that was judged few-shot.";
    }

    /// <summary>What a person should know about the scores of these images.</summary>
    internal static IEnumerable<string> Notes(EvaluationSet train, EvaluationSet test)
    {
        foreach (EvaluationSet set in new[] { train, test })
        {
            if (set.EmptyClasses.Absent is { Count: > 0 } absent)
                yield return $"{Plural.Of(absent.Count, "class", "classes")} {(absent.Count == 1 ? "has" : "have")} no image "
                    + $"in {set.Name}, so that {(set == test ? "the accuracy says nothing of" : "nothing is taken for")} "
                    + $"{(absent.Count == 1 ? "it" : "them")}: {Names(absent)}.";
            if (set.EmptyClasses.Unreadable is { Count: > 0 } lost)
                yield return $"{Plural.Of(lost.Count, "class", "classes")} of {set.Name} {(lost.Count == 1 ? "has" : "have")} no "
                    + $"image that can be read and {(lost.Count == 1 ? "is" : "are")} left out: {Names(lost)}.";
        }
        var unseen = test.Classes.Where(c => train.Classes.All(k => k.Name != c.Name)).ToArray();
        if (unseen.Length > 0)
            yield return $"{Plural.Of(unseen.Sum(c => c.Images), "test image")} "
                + $"of {Plural.Of(unseen.Length, "class", "classes")} without a training image count as wrong: "
                + $"{Names([.. unseen.Select(c => c.Name)])}. #train and #test behind a source divide every class.";
    }

    /// <summary>What a person should know about a score: that it judges images that were learned from, and
    /// <see cref="Score.Notes"/>.</summary>
    internal static IEnumerable<string> NotesOf(Score score) =>
        score.TestInTrain == 0 ? score.Notes ?? [] : [Overlapping(score.TestInTrain, score.TestCount), .. score.Notes ?? []];

    /// <summary>A sentence on test images that are among the training images too.</summary>
    /// <param name="overlap">How many, 1 or more.</param>
    /// <param name="test">Of how many.</param>
    internal static string Overlapping(int overlap, int test) =>
        $"{overlap:N0} of {Plural.Of(test, "test image")} {(overlap == 1 ? "is" : "are")} among the training images too: "
            + "the scores are flattered. Leave them out of one of the two.";

    /// <summary>Shares of the labels that become larger because each class has one image at least: a sentence each.</summary>
    /// <param name="fractions">Asked for, above 0 to 1.</param>
    internal IEnumerable<string> RaisedShares(IReadOnlyList<double> fractions)
    {
        foreach (double fraction in fractions)
            if (Classes.Sum(c => FewShot.ShareOf(c.Images, fraction)) is var drawn && drawn > 1.5 * fraction * Labelled)
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"\"tuned, {fraction * 100:0.####} %\" learns from {drawn:N0} of {Plural.Of(Labelled, "labelled image")}, "
                        + $"{100.0 * drawn / Labelled:0.#} %: one of each class is the least.");
    }

    /// <summary>What to do about too many neighbours; null where they are not.</summary>
    /// <param name="k">Neighbours.</param>
    /// <param name="images">Labelled training images.</param>
    internal static string? VoteOfAll(int k, int images) => k * 5 <= images || k <= KFor(images) ? null
        : $"{Plural.Of(k, "neighbour")} of only {Plural.Of(images, "labelled image")} {(k == 1 ? "is" : "are")} almost a vote "
            + $"of all: --set evaluation.k={KFor(images)}.";

    internal static string EveryTestImage(string test, string train) =>
        $"Every test image ({test}) is among the training images ({train}): each would be its own nearest neighbour. "
            + "Give --test images that are not in "
            + $"--train{(test == train && !train.Contains('#') ? $", such as --train {train}#train --test {train}#test" : "")}.";

    /// <summary>A sentence on labels that nearly every image has one of its own of.</summary>
    /// <param name="names">Of the classes.</param>
    internal static string EachItsOwn(IReadOnlyList<string> names) =>
        $"Nearly every image has a label of its own ({Names(names)}): such labels "
            + (names.Take(5).All(name => Numbers.TryReal(name, out _)) ? "are measured numbers, not classes" : "are no classes")
            + ". "
            + "Classes have several images each: label them with the names of a few groups, such as low and high.";

    private static int KFor(int images) => Math.Max(1, images / 20);

    private static string Names(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(5)) + (names.Count > 5 ? $" and {names.Count - 5} more" : "");

    /// <summary>Of the images whose header can be read, the most.</summary>
    private static int ChannelsOf(IImageSource source)
    {
        int most = 0;
        foreach (int i in EvenDraw.Of(source.Count, HeadersRead))
        {
            try
            {
                most = Math.Max(most, source.InfoOf(i).Channels);
            }
            catch (UnreadableImageException)
            {
                // Told when it is decoded.
            }
        }
        return most;
    }
}
