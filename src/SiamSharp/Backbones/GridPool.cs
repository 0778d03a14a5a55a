using SiamSharp.Onnx;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>The end of a ConvNet: its last map, averaged over all pixels or in each cell of a grid.</summary>
/// <remarks>
/// Definition: with G cells a side and a map of n pixels a side, cell i covers the pixels from floor(i n / G) up to ceil((i + 1)
/// n / G), as libtorch's adaptive average pooling; where small crops leave a map of fewer pixels than cells, cells overlap. One
/// cell is the global average of the published networks; more keep where in the image something is.
/// </remarks>
/// <param name="side">n, for images of the size that the network was made for.</param>
/// <param name="cells">G, at most n.</param>
internal sealed class GridPool(int side, int cells)
{
    /// <summary>G * G: numbers per channel.</summary>
    public int Count => cells * cells;

    /// <summary>The pooling that options ask for.</summary>
    /// <param name="options">Of a ConvNet.</param>
    /// <param name="size">Side of the images in pixels.</param>
    /// <exception cref="ArgumentException">The map has fewer pixels than the grid has cells.</exception>
    public static GridPool For(BackboneOptions options, int size) =>
        Family(options).ProblemOfPooling(options, size) is { } problem
            ? throw new ArgumentException($"backbone.poolSize {problem}")
            : new(Family(options).MapSide(options, size, size), options.PoolSize);

    private static ConvNetFamily Family(BackboneOptions options) => (ConvNetFamily)options.Family;

    /// <summary>The means: (N, C, H, W) to (N, C, G, G), differentiable, owned by the caller.</summary>
    public Tensor Of(Tensor map) => cells == 1 ? map.mean([2, 3], keepdim: true) : nn.functional.adaptive_avg_pool2d(map, cells);

    /// <summary>Whether an exported network takes images of any size: the cells of a grid are constants of the graph.</summary>
    public bool ExportsAnySize => cells == 1;

    /// <summary>Adds the means to a graph: (N, C, n, n) to (N, C, G, G).</summary>
    public string Export(OnnxGraph graph, string map)
    {
        if (cells == 1) return graph.Node("GlobalAveragePool", [map]);
        using var scope = NewDisposeScope();
        var rows = zeros(cells, side);
        for (int cell = 0; cell < cells; cell++)
        {
            int from = cell * side / cells, to = ((cell + 1) * side + cells - 1) / cells;
            rows.narrow(0, cell, 1).narrow(1, from, to - from).fill_(Native.HeldScalars.Held(1f / (to - from)));
        }
        return graph.Node("MatMul", [graph.Constant(rows), graph.Node("MatMul", [map, graph.Constant(rows.t())])]);
    }
}
