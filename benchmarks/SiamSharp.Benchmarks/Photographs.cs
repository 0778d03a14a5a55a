using NetVips;

namespace SiamSharp.Benchmarks;

/// <summary>Files that cost as much to decode as photographs.</summary>
internal static class Photographs
{
    /// <summary>Writes JPEGs of 512 px: smooth noise, which compresses like a photograph.</summary>
    internal static void Write(string folder, int count)
    {
        for (int i = 0; i < count; i++)
        {
            using Image noise = Image.Gaussnoise(512, 512, sigma: 60, mean: 128, seed: i).Bandjoin(
                Image.Gaussnoise(512, 512, sigma: 60, mean: 128, seed: i + 100_000),
                Image.Gaussnoise(512, 512, sigma: 60, mean: 128, seed: i + 200_000));
            noise.Gaussblur(1.5).Linear([3.0], [-256.0]).Cast(Enums.BandFormat.Uchar)
                .Copy(interpretation: Enums.Interpretation.Srgb).Jpegsave(Path.Combine(folder, $"{i}.jpg"), q: 85);
        }
    }
}
