using System.Globalization;
using System.Text;
using SiamSharp.Data;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Which classes were taken for which: what a single accuracy hides.</summary>
/// <param name="Protocol">The protocol of the score that it belongs to.</param>
/// <param name="Encoder">See <see cref="Score.Encoder"/>.</param>
/// <param name="ClassNames">K: those of the training images, then those that only test images have.</param>
/// <param name="Counts">(K, K): images of the row's class that were taken for the column's.</param>
public sealed record Confusion(string Protocol, string Encoder, IReadOnlyList<string> ClassNames, long[,] Counts)
{
    /// <summary>Share of each class's images that were recognised; NaN for a class without test images.</summary>
    public double[] PerClass => [.. Enumerable.Range(0, ClassNames.Count).Select(k => Counts[k, k] / (double)Images(k))];

    /// <summary>The classes that are recognised least, the hardest first.</summary>
    /// <param name="count">At most so many.</param>
    /// <returns>Class, its accuracy, and the class that it is most often taken for; empty where it never is.</returns>
    public IReadOnlyList<(string Class, double Accuracy, string TakenFor)> Hardest(int count)
    {
        double[] accuracy = PerClass;
        return [.. Enumerable.Range(0, ClassNames.Count).Where(k => Images(k) > 0)
            .OrderBy(k => accuracy[k]).Take(count).Select(k =>
            {
                int other = Enumerable.Range(0, ClassNames.Count).Where(j => j != k).MaxBy(j => Counts[k, j]);
                return (ClassNames[k], accuracy[k], Counts[k, other] > 0 ? ClassNames[other] : "");
            })];
    }

    /// <summary>One row for each true class: its images by the class they were taken for,
    /// and the share that was recognised.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder($"class,{string.Join(',', ClassNames.Select(CsvRows.Quote))},accuracy\n");
        double[] accuracy = PerClass;
        for (int k = 0; k < ClassNames.Count; k++)
        {
            IEnumerable<string> counts =
                Enumerable.Range(0, ClassNames.Count).Select(j => Counts[k, j].ToString(CultureInfo.InvariantCulture));
            text.Append($"{CsvRows.Quote(ClassNames[k])},{string.Join(',', counts)},"
                + $"{(Images(k) > 0 ? accuracy[k].ToString("F4", CultureInfo.InvariantCulture) : "")}\n");
        }
        return text.ToString();
    }

    /// <summary>Counts predictions.</summary>
    /// <param name="protocol">See <see cref="Protocol"/>.</param>
    /// <param name="encoder">See <see cref="Encoder"/>.</param>
    /// <param name="classNames">K.</param>
    /// <param name="truth">Int64 (N), 0 to K - 1.</param>
    /// <param name="predicted">Int64 (N), 0 to K - 1.</param>
    internal static Confusion Of(
        string protocol, string encoder, IReadOnlyList<string> classNames, Tensor truth, Tensor predicted)
    {
        long[,] counts = new long[classNames.Count, classNames.Count];
        foreach (var (t, p) in truth.data<long>().Zip(predicted.data<long>())) counts[t, p]++;
        return new Confusion(protocol, encoder, classNames, counts);
    }

    private long Images(int k) => Enumerable.Range(0, ClassNames.Count).Sum(j => Counts[k, j]);
}
