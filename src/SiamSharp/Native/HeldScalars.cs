using TorchSharp;

namespace SiamSharp.Native;

/// <summary>Numbers in tensor expressions that no garbage collection frees while libtorch still reads them.</summary>
/// <remarks>
/// TorchSharp 0.107 makes a Scalar of every number in <c>tensor / 2</c> or <c>tensor.square()</c> to which nothing refers once the call
/// has begun: a collection in that moment frees it, and the call ends with "Unknown scalar type" or a wrong value. Write <c>tensor /
/// Held(2)</c>; the implicit ways are banned in this library, and a framework of one's own is safe with these too.
/// </remarks>
public static class HeldScalars
{
    /// <summary>Far more than one expression uses.</summary>
    private const int Count = 256;

    [ThreadStatic] private static Scalar[]? t_scalars;
    [ThreadStatic] private static int t_next;

    /// <summary>A number for one use now: it is freed once the thread has asked for 256 more.</summary>
    public static Scalar Held(double value) => Hold(value.ToScalar());

    /// <summary>The same for whole numbers, which leave integer tensors integer.</summary>
    public static Scalar Held(long value) => Hold(value.ToScalar());

    /// <summary>The same for truth values.</summary>
    public static Scalar Held(bool value) => Hold(value.ToScalar());

    /// <summary>The square of a tensor, element by element.</summary>
    public static torch.Tensor Squared(this torch.Tensor tensor) => tensor.pow(Held(2));

    private static Scalar Hold(Scalar scalar)
    {
        Scalar[] scalars = t_scalars ??= new Scalar[Count];
        scalars[t_next]?.Dispose();
        scalars[t_next] = scalar;
        t_next = (t_next + 1) % Count;
        return scalar;
    }
}
