using TorchSharp;

namespace SiamSharp.Native;

/// <summary>Numbers in tensor expressions that no garbage collection frees while libtorch still reads them.</summary>
/// <remarks>
/// TorchSharp 0.107 makes a Scalar of every number in <c>tensor / 2</c> or <c>tensor.square()</c>, and of the factor 1 in
/// <c>tensor + other</c> and <c>tensor.add_(other)</c>, to which nothing refers once the call has begun: a collection in that
/// moment frees it, and the call ends with "Unknown scalar type", "Expected false to be true" or a wrong value. Write
/// <c>tensor / Held(2)</c> and <c>tensor.Plus(other)</c>; the implicit ways are banned in this library, and a framework of
/// one's own is safe with these too.
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

    /// <summary>The sum of two tensors of shapes that go together.</summary>
    public static torch.Tensor Plus(this torch.Tensor tensor, torch.Tensor other) => tensor.add(other, Held(1L));

    /// <summary>A number added to every element.</summary>
    public static torch.Tensor Plus(this torch.Tensor tensor, double number) => tensor.add(Held(number), Held(1L));

    /// <summary>Adds a tensor in place; returns the same tensor.</summary>
    public static torch.Tensor PlusInPlace(this torch.Tensor tensor, torch.Tensor other) => tensor.add_(other, Held(1L));

    /// <summary>Adds a number in place; returns the same tensor.</summary>
    public static torch.Tensor PlusInPlace(this torch.Tensor tensor, double number) => tensor.add_(Held(number), Held(1L));

    /// <summary>The same for whole numbers, which integer tensors take.</summary>
    public static torch.Tensor PlusInPlace(this torch.Tensor tensor, long number) => tensor.add_(Held(number), Held(1L));

    private static Scalar Hold(Scalar scalar)
    {
        Scalar[] scalars = t_scalars ??= new Scalar[Count];
        scalars[t_next]?.Dispose();
        scalars[t_next] = scalar;
        t_next = (t_next + 1) % Count;
        return scalar;
    }
}
