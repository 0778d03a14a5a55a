using NetVips;
using SiamSharp.Data;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Encodes as JPEG of low quality, 4:2:0, and decodes.</summary>
/// <remarks>
/// Differences: the authors know three channels only; all but one or three are encoded as a grey image each.
/// </remarks>
[Kind("jpeg")]
internal sealed class Jpeg : Corruption
{
    internal override int Place => 14;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        int quality = shape.Published<int>(level, [80, 65, 58, 50, 40], [65, 58, 50, 40, 25], [25, 18, 15, 10, 7]),
            bands = shape.Channels == 3 ? 3 : 1;
        VipsPixels.SetUp();
        for (int first = 0; first < image.Length; first += bands * shape.Area)
        {
            var bytes = new byte[bands * shape.Area];
            for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)MathF.Round(255 * image[first + i]);
            byte[] decoded = ThroughJpeg(new Pixels(bytes, bands, shape.Height, shape.Width), quality);
            for (int i = 0; i < bytes.Length; i++) result[first + i] = decoded[i] / 255f;
        }
    }

    private static byte[] ThroughJpeg(Pixels pixels, int quality)
    {
        using Image picture = VipsPixels.ToImage(pixels);
        byte[] file = picture.JpegsaveBuffer(q: quality, subsampleMode: Enums.ForeignSubsample.On, keep: Enums.ForeignKeep.None);
        using Image decoded = Image.JpegloadBuffer(file);
        return (byte[])VipsPixels.FromImage(decoded).Values;
    }
}
