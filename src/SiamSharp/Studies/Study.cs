using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Studies;

/// <summary>A table of runs: rows that differ in their recipes, each run from several seeds and judged
/// on the same images.</summary>
internal sealed record Study : IHasRules
{
    /// <summary>Options of a recipe that a study decides itself, and by what.</summary>
    private static readonly (string Section, string Option, string By)[] s_ownOptions =
        [("training", "seed", "\"seeds\""), ("training", "threads", "\"threads\""),
            ("evaluation", "baselines", "\"baselines\" of a row")];

    private const int MaxLetters = 100; // of a name; a file system takes 255 bytes

    /// <summary>The images to pretrain on; labels are not looked at.</summary>
    public string Pretrain { get; init; } = "";

    /// <summary>Labelled images for the classifiers; empty = those of <see cref="Pretrain"/>.</summary>
    public string Train { get; init; } = "";

    /// <summary>Labelled images to judge.</summary>
    public string Test { get; init; } = "";

    /// <summary>How the encoders are judged.</summary>
    public IReadOnlyList<Protocol> Protocols { get; init; } = [Protocol.Knn, Protocol.Linear, Protocol.FewShot, Protocol.RankMe];

    /// <summary>A run of every row for each of these.</summary>
    [Range(0, int.MaxValue)] public IReadOnlyList<int> Seeds { get; init; } = [1, 2, 3];

    /// <summary>Threads of a run; several runs go on at once where there are more processors.</summary>
    [Range(1, 1024)] public int Threads { get; init; } = 1;

    /// <summary>What all rows have in common: a partial recipe.</summary>
    [PartOf(typeof(Recipe))] public JsonObject Recipe { get; init; } = [];

    /// <summary>The rows in the order of the table.</summary>
    public IReadOnlyList<StudyRow> Rows { get; init; } = [];

    /// <summary>Reads a study's file.</summary>
    /// <param name="file">JSON with comments.</param>
    /// <exception cref="OptionsException">There is no such file, or anything in it is wrong; all faults are listed.</exception>
    public static Study Read(string file)
    {
        if (Directory.Exists(file))
            throw new OptionsException([new Fault("FILE", $"{file} is a folder, but a study is a "
                + "file" + (File.Exists(Path.Combine(file, "study.json"))
                    ? $": {Path.Combine(file, "study.json")} is the one in it"
                    : ". docs/STUDIES.md shows how one is written"))]);
        if (!File.Exists(file))
            throw new OptionsException([new Fault("FILE", $"there is no study \"{file}\".{Nearest.Path(file)}".TrimEnd('.'))]);
        JsonObject tree = OptionsJson.ParseFile(file);
        if (!tree.ContainsKey("rows") && OptionsJson.Write(new Recipe()).Any(section => tree.ContainsKey(section.Key)))
            throw new OptionsException([new Fault("FILE", $"{file} is a recipe, not a study, which has \"rows\": "
                + $"train with it by `siam pretrain --data IMAGES --out DIR --recipe {Shell.Word(file)}`")]);
        return OptionsJson.Read<Study>(tree, file);
    }

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (Pretrain.Length == 0) yield return new("pretrain", "name the images to pretrain on, such as a folder");
        if (Test.Length == 0) yield return new("test", "name the labelled images to judge, such as a folder");
        foreach (Protocol unknown in Protocols.Where(p => !Enum.IsDefined(p)).Distinct())
            yield return new("protocols", $"{unknown} is none of them");
        if (Protocols.Count == 0) yield return new("protocols", "there are none: give one or more, such as [\"knn\"]");
        if (Seeds.Count == 0) yield return new("seeds", "there are none: give one or more, such as [1, 2, 3]");
        if (Seeds.GroupBy(s => s).FirstOrDefault(g => g.Count() > 1) is { } twice)
            yield return new("seeds", $"{twice.Key} is there {(twice.Count() == 2 ? "twice" : $"{twice.Count()} times")}: "
                + "give each once, such as [1, 2, 3]");
        if (Rows.Count == 0) yield return new("rows", "there are none: give one or more");
        foreach (Fault own in OwnOptions("recipe.", Recipe, [])) yield return own;
        var names = new Dictionary<string, string>(); // by the folder that a row's runs get
        for (int i = 0; i < Rows.Count; i++)
        {
            if (Rows[i].From is { Length: > 0 } from && Rows.Take(i).All(r => !r.IsCalled(from)))
                yield return new($"rows.{i}.from", NoRowBefore(from, i, row => [row]));
            if (Rows[i].Against is { Length: > 0 } against && !names.ContainsKey(StudyRow.Slug(against)))
                yield return new($"rows.{i}.against", NoRowBefore(against, i, row => row.Each()));
            foreach (Fault own in OwnOptions($"rows.{i}, ", Rows[i].Recipe, [.. Rows[i].Set, Rows[i].Vary])) yield return own;
            if (Rows[i].Each().Select(row => StudyRow.Slug(row.Name)).FirstOrDefault(name => name.Length > MaxLetters)
                is { } name)
                yield return new($"rows.{i}.name",
                    $"has {name.Length} letters, but it becomes the name of a folder: at most {MaxLetters}");
            foreach (StudyRow row in Rows[i].Each().DistinctBy(row => row.Name))
                if (!names.TryAdd(StudyRow.Slug(row.Name), row.Name))
                    yield return new($"rows.{i}.name", names[StudyRow.Slug(row.Name)] is var other && other == row.Name
                        ? $"\"{row.Name}\" is there twice: each row needs a name of its own"
                        : $"\"{row.Name}\" and \"{other}\" would share the folder {StudyRow.Slug(row.Name)}: rename one of them");
        }
    }

    /// <summary>Why a name is none of a row before: it comes later, is this row itself, or there is none of that name.</summary>
    private string NoRowBefore(string name, int row, Func<StudyRow, IEnumerable<StudyRow>> rowsOf)
    {
        string rule = $"\"{name}\" is no row before this one";
        if (rowsOf(Rows[row]).Any(r => r.IsCalled(name)))
            return $"{rule} but this row itself: name an earlier one, or leave it out";
        return Rows.Skip(row + 1).SelectMany(rowsOf).Any(r => r.IsCalled(name))
            ? $"{rule}: it comes later. Move it up, ahead of this row"
            : rule + Nearest.Question(name, Rows.Take(row).SelectMany(rowsOf).Select(r => r.Name));
    }

    /// <summary>All runs, seed by seed, so that the whole table is there early with the first seeds.</summary>
    /// <param name="assignments"><c>path=value</c> for every row, applied last.</param>
    /// <param name="open">Opens the images to pretrain on.</param>
    /// <exception cref="OptionsException">A recipe is wrong; the faults of all rows are listed.</exception>
    public IReadOnlyList<StudyRun> Runs(IReadOnlyList<string> assignments, Func<DataOptions, IImageSource> open)
    {
        OptionsJson.Check(this);
        var faults = OwnOptions("--set ", [], assignments).ToList();
        if (faults.Count > 0) throw new OptionsException(faults);
        var runs = new List<StudyRun>();
        StudyRow[] rows = [.. Rows.SelectMany(r => r.Each())];
        foreach (int seed in Seeds)
        {
            foreach (var (i, row) in rows.Index())
            {
                bool baselines = i == 0 || row.Baselines;
                try
                {
                    SiamSharp.Recipes.Recipe recipe = SiamSharp.Recipes.Recipe.Resolve(
                        [
                            new(Recipe, []), .. Lineage(row).Select(r => new RecipeLayer(r.Recipe, r.Set)),
                            new([], [.. assignments, $"training.seed={seed}", $"training.threads={Threads}",
                                $"evaluation.baselines={(baselines ? "true" : "false")}"]),
                        ], open);
                    runs.Add(new StudyRun(row.Name, seed, recipe));
                }
                catch (OptionsException e) when (seed == Seeds[0])
                {
                    faults.AddRange(e.Faults.Select(f => f with { Path = $"row \"{row.Name}\", {f.Path}" }));
                }
            }
            if (faults.Count > 0) throw new OptionsException(faults);
        }
        return runs;
    }

    /// <summary>What is allowed, but is probably not meant: rows that are the same, and what
    /// <see cref="SiamSharp.Recipes.Recipe.NotesFor"/> says of a row.</summary>
    /// <param name="runs">Of <see cref="Runs"/>.</param>
    /// <param name="images">Images to pretrain on.</param>
    /// <param name="processors">Of the machine.</param>
    internal static IEnumerable<string> Notes(IReadOnlyList<StudyRun> runs, int images, int processors)
    {
        StudyRun[] rows = [.. runs.DistinctBy(run => run.Row)];
        foreach (var same in rows.GroupBy(Learned).Where(group => group.Count() > 1))
            yield return $"The rows {string.Join(" and ", same.Select(run => $"\"{run.Row}\""))} have the same recipe, "
                + "so that their scores are the same too: change one of them, or leave it out.";
        foreach (var note in rows.SelectMany(run => run.Recipe.NotesFor(images, run.Recipe.Data.Size, processors)
            .Select(text => (run.Row, Text: text))).GroupBy(note => note.Text))
            yield return (note.Count() == rows.Length ? ""
                : $"{(note.Count() == 1 ? "Row" : "Rows")} {string.Join(", ", note.Select(n => $"\"{n.Row}\""))}: ") + note.Key;

        static string Learned(StudyRun run) => OptionsJson.Write(run.Recipe with
        {
            Evaluation = run.Recipe.Evaluation with { Baselines = true },
            Training = run.Recipe.Training with { Seed = 0 }
        }).ToJsonString();
    }

    /// <summary>Settings that a study would take no notice of.</summary>
    private static IEnumerable<Fault> OwnOptions(string place, JsonObject recipe, IReadOnlyList<string> set) =>
        from own in s_ownOptions
        let path = $"{own.Section}.{own.Option}"
        where (recipe[own.Section] as JsonObject)?.ContainsKey(own.Option) == true || set.Any(s => s.Split('=')[0].Trim() == path)
        select new Fault(place + path, $"is decided by {own.By} in the study's file: set it there");

    /// <summary>A row after the rows that it starts from.</summary>
    private IEnumerable<StudyRow> Lineage(StudyRow row) =>
        [.. Rows.FirstOrDefault(r => row.From.Length > 0 && r.IsCalled(row.From)) is { } parent ? Lineage(parent) : [], row];
}

/// <summary>One row of a study's table, or several with <see cref="Vary"/>.</summary>
internal sealed record StudyRow : IHasRules
{
    /// <summary>What the table calls it.</summary>
    public string Name { get; init; } = "";

    /// <summary>An earlier row whose recipe this one starts from; empty = the study's alone.</summary>
    public string From { get; init; } = "";

    /// <summary>The row that it is compared with; empty = the one before it.</summary>
    public string Against { get; init; } = "";

    /// <summary>What differs: a partial recipe.</summary>
    [PartOf(typeof(Recipe))] public JsonObject Recipe { get; init; } = [];

    /// <summary>What differs: <c>path=value</c>, after <see cref="Recipe"/>.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>An option to vary, such as <c>views.highPass.sigma</c>: a row for each of <see cref="Values"/>.</summary>
    public string Vary { get; init; } = "";

    /// <summary>The values of <see cref="Vary"/>.</summary>
    public JsonArray Values { get; init; } = [];

    /// <summary>Whether pixels and the encoder that the run starts from are judged with this row's runs too;
    /// with the first row they always are.</summary>
    public bool Baselines { get; init; }

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (Slug(Name).Length == 0) yield return new("name", $"\"{Name}\" has neither letter nor digit: give the row a name");
        if (Values.GroupBy(v => v?.ToJsonString()).FirstOrDefault(g => g.Count() > 1) is { } twice)
            yield return new("values",
                $"{twice.Key} is there {(twice.Count() == 2 ? "twice" : $"{twice.Count()} times")}: give each value once");
        if (Vary.Length > 0 && Values.Count == 0)
            yield return new("values", $"there are none, but vary names {Vary}: give one value or more, or leave vary out");
        if (Vary.Length == 0 && Values.Count > 0)
            yield return new("vary",
                "names no option for the values: give one, such as \"training.epochs\", or leave values out");
    }

    /// <summary>The row itself, or one row for each value.</summary>
    internal IEnumerable<StudyRow> Each() => Vary.Length == 0
        ? [this]
        : Values.Select(v => this with { Name = $"{Name} {v}", Set = [.. Set, $"{Vary}={v?.ToJsonString()}"] });

    /// <summary>Whether this row is meant by a name: names that make the same folder are the same.</summary>
    internal bool IsCalled(string name) => Slug(Name) == Slug(name);

    /// <summary>A name as the name of a folder: letters and digits, joined by hyphens.</summary>
    internal static string Slug(string name) =>
        string.Join('-', string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c == '.' ? c : ' '))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
