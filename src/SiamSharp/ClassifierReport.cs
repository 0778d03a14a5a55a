using System.Globalization;
using SiamSharp.Evaluation;
using SiamSharp.Messages;

namespace SiamSharp;

/// <summary>What a classifier was found to be worth on the labelled images that it was made of, each judged by a classifier
/// that had not seen it.</summary>
/// <param name="Count">Labelled images.</param>
/// <param name="Folds">Parts in turn held out; 0 where a class has one image only: then what follows the penalty was not
/// measured and is null.</param>
/// <param name="Penalty">The L2 penalty chosen.</param>
/// <param name="Accuracy">Share of all images classified rightly.</param>
/// <param name="CalibrationError">Mean difference between probability and accuracy over ten bins (ECE)
/// of the calibrated probabilities.</param>
/// <param name="UncalibratedError">The same before calibration.</param>
/// <param name="AcceptedShare">Share of images at or above the threshold.</param>
/// <param name="AcceptedAccuracy">Share of those classified rightly; null where none is.</param>
public sealed record ClassifierReport(
    int Count, int Folds, double Penalty, double? Accuracy, double? CalibrationError, double? UncalibratedError,
    double AcceptedShare, double? AcceptedAccuracy)
{
    private const int FewAccepted = 10;

    /// <summary>Share of the images that the largest class has: what an answer that is always the same would
    /// reach; 0 = not known.</summary>
    public double LargestClass { get; init; }

    /// <summary>What a person should know before the classifier is used: whole sentences that say what
    /// to do, often none.</summary>
    /// <param name="minAccuracy">The accuracy that was asked for, 0 to 1.</param>
    public IEnumerable<string> Notes(double minAccuracy)
    {
        if (Folds == 0)
        {
            yield return "A class has one image only: nothing could be held out, so the probabilities are not calibrated and "
                + "nothing will be rejected. Two images of each class or more mend it.";
            yield break;
        }
        int accepted = (int)Math.Round(AcceptedShare * Count);
        if (Accuracy is double accuracy && LargestClass > 0 && Statistics.ShareInterval(accuracy, Count).Low <= LargestClass)
            yield return string.Create(CultureInfo.InvariantCulture, $"The held-out accuracy of {accuracy:F3} is not clearly "
                + $"better than naming always the largest class, which gives {LargestClass:F3}. "
                + $"Give more labelled images, check the labels, or take an encoder that was trained longer.");
        if (accepted == 0)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Not even the surest held-out answers are right in {100 * minAccuracy:0.#} % of cases: "
                    + $"all answers will be rejected. Give more labels, or a lower --min-accuracy.");
        else if (accepted < FewAccepted && accepted < Count)
            yield return $"The threshold rests on {accepted} of {Plural.Of(Count, "held-out image")} only, and may be chance. "
                + "Give more labels, or a lower --min-accuracy.";
    }
}
