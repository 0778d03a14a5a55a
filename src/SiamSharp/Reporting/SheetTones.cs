using SiamSharp.Views;
using SkiaSharp;
using static TorchSharp.torch;

namespace SiamSharp.Reporting;

/// <summary>Turns pixels and signals into pictures with the same tones all over a sheet.</summary>
internal sealed class SheetTones
{
    /// <summary>Standard deviations of the signal from mid-grey to black or white.</summary>
    public const double Reach = 2.5;

    /// <summary>Images without a brighter pixel, such as 12 bits in files of 16, are shown up to their brightest one.</summary>
    private const float FewTones = 0.25f;

    /// <summary>Red, green and blue of removed pixels.</summary>
    private static readonly float[] s_removed = [0.96f, 0.58f, 0.18f];

    private readonly Preprocessing _preprocessing;
    private readonly double _low, _range;

    /// <summary>Chooses the tones of pixels: 0 to 1, or as far as the images go beyond, or up to the brightest
    /// pixel of dark ones.</summary>
    /// <param name="preprocessing">What makes signals of pixels.</param>
    /// <param name="images">float32 (N, C, S, S).</param>
    public SheetTones(Preprocessing preprocessing, Tensor images)
        : this(preprocessing, Extreme(images.min()), Extreme(images.max()))
    {
    }

    /// <summary>Chooses the tones of pixels for all images of a set.</summary>
    /// <param name="preprocessing">What makes signals of pixels.</param>
    /// <param name="low">Smallest value of all pixels.</param>
    /// <param name="most">Largest value of all pixels.</param>
    public SheetTones(Preprocessing preprocessing, float low, float most)
    {
        _preprocessing = preprocessing;
        _low = Math.Min(0, low);
        _range = (most is > 0 and < FewTones ? most : Math.Max(1, most)) - _low;
    }

    /// <summary>Pictures of images as they are.</summary>
    /// <param name="images">float32 (N, C, S, S).</param>
    public List<SKBitmap> Pixels(Tensor images) => Draw(images, (x, _) => Tone(x), null);

    /// <summary>Pictures of signals: mid-grey is 0 after a high-pass; without one, the pixels that they come from.</summary>
    /// <param name="signals">float32 (N, C, S, S).</param>
    public List<SKBitmap> Signal(Tensor signals) => Draw(signals, SignalTone, null);

    /// <summary>Pictures of signals, with a colour on what masks remove.</summary>
    /// <param name="signals">float32 (N, C, S, S).</param>
    /// <param name="keepMasks">N masks, each (C, S, S) or (1, S, S).</param>
    public List<SKBitmap> Masked(Tensor signals, bool[][] keepMasks) => Draw(signals, SignalTone, keepMasks);

    private static float Extreme(Tensor scalar)
    {
        using (scalar) return scalar.item<float>();
    }

    private float Tone(double pixel) => (float)((pixel - _low) / _range);

    private float SignalTone(float x, int channel) => _preprocessing.HighPass.Sigma > 0
        ? (float)(0.5 + x / (2 * Reach))
        : Tone(x * _preprocessing.Std[channel] + _preprocessing.Mean[channel]);

    private static List<SKBitmap> Draw(Tensor batch, Func<float, int, float> tone, bool[][]? keepMasks)
    {
        using Tensor whole = batch.contiguous();
        var samples = new Samples<float>(whole);
        var pictures = new List<SKBitmap>();
        for (int n = 0; n < whole.shape[0]; n++)
            pictures.Add(Draw(samples[n], (int)whole.shape[1], (int)whole.shape[3], tone, keepMasks?[n]));
        return pictures;
    }

    /// <summary>One picture of (C, S, S) values.</summary>
    private static SKBitmap Draw(
        ReadOnlySpan<float> values, int channels, int size, Func<float, int, float> tone, bool[]? keepMask)
    {
        int area = size * size;
        var pixels = new SKColor[area];
        Span<byte> rgb = stackalloc byte[3];
        for (int i = 0; i < area; i++)
        {
            for (int k = 0; k < 3; k++)
            {
                int channel = channels >= 3 ? k : 0;
                float value = Math.Clamp(tone(values[channel * area + i], channel), 0, 1);
                if (float.IsNaN(value)) value = 1; // dropped: as white as the paper
                if (keepMask is not null && !keepMask[(channel * area + i) % keepMask.Length])
                    value = 0.3f * value + 0.7f * s_removed[k];
                rgb[k] = (byte)MathF.Round(255 * value);
            }
            pixels[i] = new SKColor(rgb[0], rgb[1], rgb[2]);
        }
        return new SKBitmap(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque) { Pixels = pixels };
    }
}
