using System.ComponentModel.DataAnnotations;
using System.Globalization;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Masking;

/// <summary>Divides the view into square cells and removes some of them at random.</summary>
/// <remarks>
/// Definition: the grid has ceil(H / cell) * ceil(W / cell) cells; of them, exactly round(maskRatio * cells) are removed, chosen
/// without replacement. Where the cell does not divide the side, the cells at the right and bottom border are narrower.
/// Source: the grid masks of Jing, Zhu and LeCun 2022, "Masked siamese ConvNets".
/// </remarks>
[Kind("grid")]
public sealed record GridMask : Mask
{
    /// <summary>
    /// Side of a cell in pixels. 0 = by the view's side: half of it up to 64 px, 32 px up to 224 px (at 224 px as in arXiv
    /// 2309.12757), beyond that a seventh.
    /// </summary>
    [Range(0, 1024)] public int Cell { get; init; }

    /// <summary>
    /// Smallest share of the view that is removed. Each mask draws its share between minRatio and maxRatio.
    /// </summary>
    [Range(0.0, 1.0)] public double MinRatio { get; init; } = 0.3;

    /// <summary>Largest share of the view that is removed.</summary>
    [Range(0.0, 1.0)] public double MaxRatio { get; init; } = 0.7;

    /// <summary>Half the side up to 64 px, 32 px from there to 224 px, then a seventh of the side;
    /// rounded up so that no sliver is left over.</summary>
    /// <remarks>
    /// 32 px at 224 px is that of Chin et al. (arXiv 2309.12757); that small images want few, large cells was measured at 28,
    /// 32 and 64 px (docs/EXPERIMENTS.md).
    /// </remarks>
    public static int DefaultCell(int side) => Math.Max(Math.Min((side + 1) / 2, 32), (side + 6) / 7);

    /// <summary>Cells of the grid on a square view.</summary>
    /// <param name="side">Of the view in pixels.</param>
    internal int CellsOf(int side)
    {
        int cell = Cell > 0 ? Cell : DefaultCell(side), columns = (side + cell - 1) / cell;
        return columns * columns;
    }

    /// <inheritdoc/>
    public override void DrawPlane(Span<bool> keepMask, int height, int width, ref RandomStream random)
    {
        int cell = Cell > 0 ? Cell : DefaultCell(Math.Min(height, width));
        int columns = (width + cell - 1) / cell, count = (height + cell - 1) / cell * columns;
        int removed = (int)Math.Round(random.Uniform(MinRatio, MaxRatio) * count);

        Span<bool> keepCell = count <= 4096 ? stackalloc bool[count] : new bool[count];
        keepCell.Fill(true);
        keepCell[..removed].Clear();
        random.Shuffle(keepCell);
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<bool> cells = keepCell.Slice(y / cell * columns, columns);
            Span<bool> row = keepMask.Slice(y * width, width);
            for (int c = 0; c < columns; c++) row[(c * cell)..Math.Min(width, (c + 1) * cell)].Fill(cells[c]);
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> Faults()
    {
        if (MinRatio > MaxRatio)
            yield return new("minRatio", $"{MinRatio} is more than maxRatio, {MaxRatio}: lower the one or raise the other");
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(int side)
    {
        int cells = CellsOf(side);
        if (MinRatio == 1) yield return RemovesAll;
        else if (Cell >= side)
            yield return new("cell",
                $"a cell of {Cell} px covers the whole view of {side} px: at most {side / 2}, or 0 for the default");
        else if (Math.Round(MinRatio * cells) == cells)
            yield return new("minRatio", $"{Shown(MinRatio)} of {cells} cells is all of them, and nothing is left to learn from: "
                + $"less, such as {Shown((cells - 1.0) / cells)}, or a smaller cell");
    }

    /// <inheritdoc/>
    public override string? ProblemOfDropping(int patch, int side)
    {
        int cell = Cell > 0 ? Cell : DefaultCell(side);
        if (cell % patch != 0 || side % cell != 0)
            return $"cells of {cell} px do not consist of whole patches of {patch} px, or do not divide views of {side} px: "
                + $"set cell to a multiple of {patch} that divides {side}";
        return MinRatio != MaxRatio || Probability < 1 || Sharing != MaskSharing.AllChannels
            ? "all images of a batch must drop the same number of patches: "
                + "set minRatio = maxRatio, probability 1 and sharing all-channels"
            : null;
    }

    private static string Shown(double ratio) => ratio.ToString("0.###", CultureInfo.InvariantCulture);
}
