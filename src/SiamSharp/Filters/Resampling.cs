using System.Buffers;

namespace SiamSharp.Filters;

/// <summary>Resizing of a window to a square, with antialiasing.</summary>
internal static class Resampling
{
    /// <summary>Resizes one window of an image.</summary>
    /// <remarks>
    /// Definition: each output pixel is a weighted mean; the weights fall off linearly from its centre to one pixel of the
    /// coarser grid (the input's, or the output's when shrinking), first along the rows, then along the columns; nothing outside
    /// the window is read.
    /// Source: ATen's _upsample_bilinear2d_aa, align_corners false (torchvision's antialiased resize).
    /// </remarks>
    /// <param name="image">(C, H, W).</param>
    /// <param name="channels">C.</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="window">Within the image.</param>
    /// <param name="result">(C, S, S); must not overlap the image.</param>
    /// <param name="size">S.</param>
    public static void Resize(ReadOnlySpan<float> image, int channels, int height, int width, CropWindow window,
        Span<float> result, int size)
    {
        var across = new Taps(window.Width, size);
        var down = new Taps(window.Height, size);
        float[] buffer = ArrayPool<float>.Shared.Rent(window.Height * size);
        Span<float> rows = buffer.AsSpan(0, window.Height * size);
        for (int c = 0; c < channels; c++)
        {
            ReadOnlySpan<float> plane = image.Slice(c * height * width, height * width);
            for (int y = 0; y < window.Height; y++)
                across.Apply(plane.Slice((window.Top + y) * width + window.Left, window.Width), rows.Slice(y * size, size));
            down.ApplyToRows(rows, result.Slice(c * size * size, size * size));
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>Mirrors every row.</summary>
    /// <param name="image">(C, H, W).</param>
    /// <param name="width">W.</param>
    public static void Flip(Span<float> image, int width)
    {
        for (int start = 0; start < image.Length; start += width) image.Slice(start, width).Reverse();
    }

    /// <summary>Which input pixels make up each output pixel along one axis, and by how much.</summary>
    private readonly struct Taps
    {
        private readonly int _count, _size;
        private readonly int[] _first;
        private readonly float[] _weights;

        public Taps(int length, int size)
        {
            double scale = (double)length / size, reach = Math.Max(scale, 1);
            _size = size;
            _count = Math.Min(length, 2 * (int)Math.Ceiling(reach) + 1);
            _first = new int[size];
            _weights = new float[size * _count];
            var weights = new double[_count];
            for (int i = 0; i < size; i++)
            {
                double centre = scale * (i + 0.5);
                int low = Math.Max(0, (int)(centre - reach + 0.5)), high = Math.Min(length, (int)(centre + reach + 0.5));
                _first[i] = Math.Min(low, length - _count);
                for (int k = 0; k < _count; k++)
                {
                    int j = _first[i] + k;
                    weights[k] = j >= low && j < high ? Math.Max(0, 1 - Math.Abs((j + 0.5 - centre) / reach)) : 0;
                }
                double sum = weights.Sum();
                for (int k = 0; k < _count; k++) _weights[i * _count + k] = (float)(weights[k] / sum);
            }
        }

        /// <summary>(length) to (S).</summary>
        public void Apply(ReadOnlySpan<float> values, Span<float> result)
        {
            for (int i = 0; i < _size; i++)
            {
                ReadOnlySpan<float> near = values.Slice(_first[i], _count), weights = _weights.AsSpan(i * _count, _count);
                float sum = 0;
                for (int k = 0; k < near.Length; k++) sum += weights[k] * near[k];
                result[i] = sum;
            }
        }

        /// <summary>(length, S) to (S, S).</summary>
        public void ApplyToRows(ReadOnlySpan<float> rows, Span<float> result)
        {
            for (int i = 0; i < _size; i++)
                WeightedSum.Of(rows[(_first[i] * _size)..], _size, _weights.AsSpan(i * _count, _count),
                    result.Slice(i * _size, _size));
        }
    }
}
