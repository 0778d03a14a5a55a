using System.Globalization;
using System.Text;
using SiamSharp.Evaluation;

namespace SiamSharp.Studies;

/// <summary>What the runs of a study say, row by row: means, spreads, and differences seed by seed.</summary>
/// <param name="Columns">Titles of the scores.</param>
/// <param name="Rows">Pixels and untrained encoders first, then the study's rows.</param>
/// <param name="RankCorrelations">For each column but RankMe's own: Spearman's correlation of the rows' means with their RankMe;
/// without the columns in which all rows are equal, and empty without RankMe.</param>
internal sealed record StudyTable(
    IReadOnlyList<string> Columns, IReadOnlyList<StudyTableRow> Rows, IReadOnlyDictionary<string, double> RankCorrelations)
{
    private const string RankMe = "RankMe";

    /// <summary>What a person should know of the scores, such as that images are judged that were learned from;
    /// whole sentences, often none.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The table of the runs that are done; cells without a run are null.</summary>
    /// <param name="study">The study.</param>
    /// <param name="done">Runs with their scores.</param>
    public static StudyTable Of(Study study, IReadOnlyList<(StudyRun Run, IReadOnlyList<Score> Scores)> done)
    {
        var values = new Dictionary<(string Row, string Encoder, string Column), SortedDictionary<int, double>>();
        var columns = new List<string>();
        foreach (var (run, scores) in done)
        {
            foreach (Score score in scores.Where(s => double.IsFinite(s.Value)))
            {
                if (!columns.Contains(score.Title)) columns.Add(score.Title);
                var key = (score.Encoder == "pixels" ? "" : run.Row, score.Encoder, score.Title);
                if (!values.TryGetValue(key, out var seeds)) values[key] = seeds = [];
                seeds[run.Seed] = score.Value;
            }
        }
        StudyRow[] all = [.. study.Rows.SelectMany(r => r.Each())];
        StudyRow[] judged = [.. all.Where((row, i) => i == 0 || row.Baselines)];
        var rows = new List<StudyTableRow> { Row("pixels", "", "pixels", null) };
        foreach (StudyRow row in judged)
        {
            // What a row's runs started from: drawn weights, or a file's.
            string? file = done.Where(d => d.Run.Row == row.Name).SelectMany(d => d.Scores)
                .FirstOrDefault(s => s.Encoder == "start")?.Representation;
            rows.Add(Row((file ?? "untrained") + (judged.Length == 1 ? "" : $", as {row.Name}"), row.Name,
                file is null ? "untrained" : "start", null));
        }
        string? before = null;
        foreach (StudyRow row in all)
        {
            string? against = row.Against.Length > 0 ? all.First(r => r.IsCalled(row.Against)).Name : before;
            rows.Add(Row(row.Name, row.Name, "pretrained", against));
            before = row.Name;
        }
        return new StudyTable(columns, rows, Correlations(columns, rows))
        {
            Notes = [.. done.SelectMany(d => d.Scores).SelectMany(EvaluationSet.NotesOf).Distinct()]
        };

        StudyTableRow Row(string name, string row, string encoder, string? against) => new(name, against,
            [.. columns.Select(c => Cell(values.GetValueOrDefault((row, encoder, c)),
                against is null || c == RankMe ? null : values.GetValueOrDefault((against, encoder, c))))])
        { Pretrained = encoder == "pretrained" };
    }

    private static StudyCell? Cell(SortedDictionary<int, double>? values, SortedDictionary<int, double>? against)
    {
        if (values is null) return null;
        var cell = new StudyCell(values.Count, values.Values.Average(), Statistics.StandardDeviation(values.Values));
        double[] gains = against is null ? []
            : [.. values.Where(v => against.ContainsKey(v.Key)).Select(v => v.Value - against[v.Key])];
        if (gains.Length == 0) return cell;
        double std = Statistics.StandardDeviation(gains);
        return cell with { Gain = gains.Average(), GainCi95 = gains.Length > 1 ? Statistics.Interval(std, gains.Length) : null };
    }

    private static Dictionary<string, double> Correlations(List<string> columns, List<StudyTableRow> rows)
    {
        int rank = columns.IndexOf(RankMe);
        StudyTableRow[] whole = [.. rows.Where(r => r.Pretrained && r.Cells.All(c => c is not null))];
        if (rank < 0 || whole.Length < 3) return [];
        double[] ranks = [.. whole.Select(r => r.Cells[rank]!.Mean)];
        return columns.Index().Where(c => c.Index != rank)
            .Select(c => (c.Item, Value: Statistics.RankCorrelation(ranks, [.. whole.Select(r => r.Cells[c.Index]!.Mean)])))
            .Where(c => double.IsFinite(c.Value)) // equal rows have no order
            .ToDictionary(c => c.Item, c => c.Value);
    }

    /// <summary>The table in Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append($"| | {string.Join(" | ", Columns)} |\n|---|{string.Concat(Columns.Select(_ => "---|"))}\n");
        foreach (StudyTableRow row in Rows)
            text.Append($"| {row.Name} | {string.Join(" | ", row.Cells.Select(c => c?.Text(bold: "**") ?? ""))} |\n");
        text.Append('\n').Append(Explanation).Append('\n');
        foreach (string note in Notes) text.Append($"\nNote: {note}\n");
        return text.ToString();
    }

    /// <summary>How to read it, with the rank correlations.</summary>
    public string Explanation
    {
        get
        {
            string[] others = [.. Rows.Where(r => r.Against is not null).Zip(Rows.Where(r => r.Pretrained).SkipLast(1))
                .Where(p => p.First.Against != p.Second.Name).Select(p => $"{p.First.Name} against {p.First.Against}")];
            string from = "the difference from the row above" + (others.Length > 0 ? $" ({string.Join(", ", others)})" : "");
            return (Rows.Any(r => r.Cells.Any(cell => cell?.Runs > 1))
                    ? "Mean over the seeds (standard deviation); behind it, with its sign, "
                        + $"{from} with the same seeds and its 95 % interval."
                    : "One seed each, which leaves open what is chance; two or more give intervals. "
                        + $"Behind a score, with its sign, {from}.")
                + (RankCorrelations.Count > 0
                    ? " RankMe, which takes no labels, puts the rows in the order of "
                        + string.Join(", ", RankCorrelations.Select(c => string.Create(CultureInfo.InvariantCulture,
                            $"{c.Key} with a rank correlation of {c.Value:F2}"))) + "."
                    : "");
        }
    }
}

/// <summary>A row of a study's table.</summary>
/// <param name="Name">Of the row.</param>
/// <param name="Against">The row that its gains are over; null = none.</param>
/// <param name="Cells">One for each column; null where no run is done.</param>
internal sealed record StudyTableRow(string Name, string? Against, IReadOnlyList<StudyCell?> Cells)
{
    /// <summary>Whether it is one of the study's own rows, and no baseline.</summary>
    public bool Pretrained { get; init; }
}

/// <summary>A number of a study.</summary>
/// <param name="Runs">Seeds that are done.</param>
/// <param name="Mean">Over the seeds.</param>
/// <param name="Std">Sample standard deviation over the seeds.</param>
internal sealed record StudyCell(int Runs, double Mean, double Std)
{
    /// <summary>Mean difference from the row it is compared with, seed by seed.</summary>
    public double? Gain { get; init; }

    /// <summary>Half the width of the 95 % interval of <see cref="Gain"/>; null with one seed,
    /// 0 where it is the same with all.</summary>
    public double? GainCi95 { get; init; }

    /// <summary>Whether the gain's interval leaves out 0. One without a width tells of no spread:
    /// the gains of a few seeds can be equal by chance.</summary>
    public bool GainIsCertain => GainCi95 is double ci && ci > 1e-9 && Math.Abs(Gain!.Value) > ci;

    /// <summary>Such as <c>0.814 (0.004); +0.039 ±0.007</c>.</summary>
    /// <param name="bold">Put around a gain whose interval leaves out 0.</param>
    public string Text(string bold = "")
    {
        string form = Mean > 1 ? "F1" : "F3", mark = GainIsCertain ? bold : "";
        string Number(double v, string f) => v.ToString(f, CultureInfo.InvariantCulture);
        return Number(Mean, form) + (Std > 1e-9 ? $" ({Number(Std, form)})" : "")
            + (Gain is double gain
                ? $"; {mark}{Number(Math.Round(gain, 3), "+0.000;-0.000;+0.000")}{mark}"
                    + (GainCi95 is double ci ? $" ±{Number(ci, form)}" : "") : "");
    }
}
