using System.Numerics;

namespace SiamSharp.Evaluation;

/// <summary>The shape of one image of planes.</summary>
/// <param name="Channels">C.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="Width">W in pixels.</param>
public readonly record struct PlaneShape(int Channels, int Height, int Width)
{
    /// <summary>H * W.</summary>
    public int Area => Height * Width;

    /// <summary>The shorter side in pixels.</summary>
    public int Side => Math.Min(Height, Width);

    /// <summary>The side that is nearest, by its ratio, among those that parameters are published for: up to 45 px 32,
    /// up to 119 px 64, then 224.</summary>
    public int PublishedSide => Side * Side < 32 * 64 ? 32 : Side * Side < 64 * 224 ? 64 : 224;

    /// <summary>What a length of the published parameters, in pixels of an image of
    /// <see cref="PublishedSide"/>, is multiplied by.</summary>
    public double Scale => (double)Side / PublishedSide;

    /// <summary>The parameter of a level among those published for images of this size.</summary>
    /// <param name="level">0 to 4.</param>
    /// <param name="of32">CIFAR-10-C's.</param>
    /// <param name="of64">Tiny-ImageNet-C's.</param>
    /// <param name="of224">ImageNet-C's.</param>
    public T Published<T>(int level, ReadOnlySpan<T> of32, ReadOnlySpan<T> of64, ReadOnlySpan<T> of224) =>
        (PublishedSide switch { 32 => of32, 64 => of64, _ => of224 })[level];
}

/// <summary>A point between the pixels of a plane, whose borders are continued by reflection.</summary>
internal readonly struct BilinearPoint
{
    private readonly int _leftAbove, _rightAbove, _leftBelow, _rightBelow;
    private readonly float _right, _below;

    /// <summary>The point at some distance from the centre of the first pixel.</summary>
    /// <param name="x">In pixels, any number.</param>
    /// <param name="y">In pixels, any number.</param>
    /// <param name="shape">H and W.</param>
    public BilinearPoint(double x, double y, PlaneShape shape)
    {
        double left = Math.Floor(x), above = Math.Floor(y);
        (_right, _below) = ((float)(x - left), (float)(y - above));
        int x0 = Mirror((int)left, shape.Width), x1 = Mirror((int)left + 1, shape.Width);
        int y0 = Mirror((int)above, shape.Height) * shape.Width, y1 = Mirror((int)above + 1, shape.Height) * shape.Width;
        (_leftAbove, _rightAbove, _leftBelow, _rightBelow) = (y0 + x0, y0 + x1, y1 + x0, y1 + x1);
    }

    /// <summary>The value at the point, interpolated between the four pixels around it.</summary>
    /// <param name="plane">(H, W), and more behind it if need be.</param>
    public float Of(ReadOnlySpan<float> plane)
    {
        float above = plane[_leftAbove] + _right * (plane[_rightAbove] - plane[_leftAbove]);
        float below = plane[_leftBelow] + _right * (plane[_rightBelow] - plane[_leftBelow]);
        return above + _below * (below - above);
    }

    /// <summary>The index within 0 to length - 1 that an index outside is the mirror image of,
    /// the ends not being repeated.</summary>
    public static int Mirror(int index, int length)
    {
        if ((uint)index < (uint)length) return index;
        int period = 2 * (length - 1), within = Math.Abs(index) % period;
        return within < length ? within : period - within;
    }
}

/// <summary>A weighted mean of shifted images, shifts in fractions of a pixel: a blur of any shape.</summary>
/// <remarks>
/// Definition: y(p) = sum of w_k x(p + d_k) / sum of w_k, x being continued bilinearly between the pixels,
/// which spreads each weight over the four whole shifts around d_k.
/// Cost: one multiplication per pixel and whole shift whose weight is not 0.
/// </remarks>
/// <param name="reach">The longest shift in pixels, in x or y.</param>
internal sealed class ShiftKernel(double reach)
{
    private readonly int _radius = (int)Math.Ceiling(reach);
    private readonly double[] _weights = new double[(2 * (int)Math.Ceiling(reach) + 1) * (2 * (int)Math.Ceiling(reach) + 1)];

    private int Side => 2 * _radius + 1;

    /// <summary>Adds a shifted image.</summary>
    /// <param name="x">d_k in pixels, -reach to reach.</param>
    /// <param name="y">The same for y.</param>
    /// <param name="weight">w_k, 0 or more.</param>
    public void Add(double x, double y, double weight)
    {
        int left = Math.Min((int)Math.Floor(x), _radius - 1), above = Math.Min((int)Math.Floor(y), _radius - 1);
        double right = x - left, below = y - above;
        int first = (above + _radius) * Side + left + _radius;
        _weights[first] += weight * (1 - right) * (1 - below);
        _weights[first + 1] += weight * right * (1 - below);
        _weights[first + Side] += weight * (1 - right) * below;
        _weights[first + Side + 1] += weight * right * below;
    }

    /// <summary>Blurs every channel; borders are continued by reflection.</summary>
    /// <param name="image">(C, H, W).</param>
    /// <param name="result">(C, H, W), zeros; must not overlap the image.</param>
    /// <param name="shape">C, H and W.</param>
    public void Filter(ReadOnlySpan<float> image, Span<float> result, PlaneShape shape)
    {
        double sum = _weights.Sum();
        int width = shape.Width + 2 * _radius;
        var padded = new float[width * (shape.Height + 2 * _radius)];
        for (int first = 0; first < image.Length; first += shape.Area)
        {
            Pad(image.Slice(first, shape.Area), padded, shape);
            for (int k = 0; k < _weights.Length; k++)
            {
                if (_weights[k] == 0) continue;
                for (int y = 0; y < shape.Height; y++)
                    AddScaled(padded.AsSpan((y + k / Side) * width + k % Side, shape.Width), (float)(_weights[k] / sum),
                        result.Slice(first + y * shape.Width, shape.Width));
            }
        }
    }

    private void Pad(ReadOnlySpan<float> plane, Span<float> padded, PlaneShape shape)
    {
        int width = shape.Width + 2 * _radius;
        for (int y = 0; y < shape.Height + 2 * _radius; y++)
        {
            int row = BilinearPoint.Mirror(y - _radius, shape.Height) * shape.Width;
            for (int x = 0; x < width; x++) padded[y * width + x] = plane[row + BilinearPoint.Mirror(x - _radius, shape.Width)];
        }
    }

    private static void AddScaled(ReadOnlySpan<float> values, float factor, Span<float> sum)
    {
        int i = 0;
        for (; i <= sum.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(sum[i..]) + factor * new Vector<float>(values[i..])).CopyTo(sum[i..]);
        for (; i < sum.Length; i++) sum[i] += factor * values[i];
    }
}
