using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Masking;

/// <summary>Removes random cells of a grid.</summary>
/// <remarks>
/// Definition: the grid has ceil(H / cell) * ceil(W / cell) cells; of them, exactly round(maskRatio * cells) are removed, chosen
/// without replacement. Where the cell does not divide the side, the cells at the right and bottom border are narrower.
/// Source: the grid masks of Jing, Zhu and LeCun 2022, "Masked siamese ConvNets".
/// </remarks>
public sealed record GridMask : Mask
{
    /// <summary>Side of a cell in pixels; 0 = half the view, but no more than 32 px (at 224 px as in arXiv 2309.12757) or a seventh of the view, whichever is more.</summary>
    [Range(0, 1024)] public int Cell { get; init; }

    /// <summary>Smallest mask ratio; drawn anew for each mask.</summary>
    [Range(0.0, 1.0)] public double MinRatio { get; init; } = 0.3;

    /// <summary>Largest mask ratio.</summary>
    [Range(0.0, 1.0)] public double MaxRatio { get; init; } = 0.7;

    /// <summary>Half the side up to 64 px, 32 px from there to 224 px, then a seventh of the side; rounded up so that no sliver is left over.</summary>
    /// <remarks>32 px at 224 px is that of Chin et al. (arXiv 2309.12757); that small images want few, large cells was measured at 28, 32 and 64 px (docs/EXPERIMENTS.md).</remarks>
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
        if (MinRatio > MaxRatio) yield return new("minRatio", $"{MinRatio} is more than maxRatio, {MaxRatio}: lower the one or raise the other");
    }
}
