using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>The bytes of tensors of any size.</summary>
internal static class TensorBytes
{
    private const long PieceBytes = 1 << 30; // a span holds at most 2 GiB

    /// <summary>Visits the elements in their order, a piece at a time; of a contiguous tensor on the
    /// CPU without a copy.</summary>
    /// <param name="tensor">Of any shape and device.</param>
    /// <param name="action">Gets a tensor of one dimension, on the CPU.</param>
    public static void ForEachPiece(Tensor tensor, Action<Tensor> action)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        long step = PieceBytes / tensor.ElementSize;
        for (long start = 0; start < flat.numel(); start += step)
            action(flat.narrow(0, start, Math.Min(step, flat.numel() - start)));
    }

    /// <summary>Fills a contiguous tensor on the CPU.</summary>
    /// <exception cref="EndOfStreamException">The stream ends before.</exception>
    public static void Read(Stream stream, Tensor tensor) => ForEachPiece(tensor, piece => stream.ReadExactly(piece.bytes));

    /// <summary>The first byte of bools that is neither 0 nor 1, which libtorch takes for granted;
    /// null when there is none.</summary>
    public static (long Position, byte Value)? FirstNoBool(Tensor tensor)
    {
        (long, byte)? first = null;
        long before = 0;
        ForEachPiece(tensor, piece =>
        {
            int wrong = piece.bytes.IndexOfAnyExceptInRange((byte)0, (byte)1);
            if (wrong >= 0) first ??= (before + wrong, piece.bytes[wrong]);
            before += piece.numel();
        });
        return first;
    }
}
