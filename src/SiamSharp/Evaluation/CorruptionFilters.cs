using System.Numerics;
using SiamSharp.Filters;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>The corruptions that look beyond a pixel: blurs, weather and elastic.
/// Results are not yet limited to 0 to 1.</summary>
internal static class CorruptionFilters
{
    /// <summary>Averages over a disc.</summary>
    /// <remarks>
    /// Differences: the authors smooth the edge of a disc of whole pixels; here the image, continued bilinearly between its
    /// pixels, is averaged over the disc, which has an effect however small the disc. The slightest at 32 and 64 px are discs of
    /// one pixel whose edge is smoothed: there the effect is of the same size, not of the same shape.
    /// </remarks>
    public static void DefocusBlur(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        const int points = 32; // to each side of the centre
        double radius =
            shape.Published<double>(level, [0.3, 0.4, 0.5, 1, 1.5], [0.5, 1, 1.5, 2.5, 3], [3, 4, 6, 8, 10]) * shape.Scale;
        var kernel = new ShiftKernel(radius);
        for (int i = -points; i <= points; i++)
            for (int j = -points; j <= points; j++)
                if (i * i + j * j <= points * points) kernel.Add(radius * j / points, radius * i / points, 1);
        kernel.Filter(image, result, shape);
    }

    /// <summary>Blurs, exchanges pixels with near ones, some rounds from the last pixel to the first, and blurs again.</summary>
    /// <remarks>
    /// Definition: the partner's offset is uniform over -reach to reach - 1 in both directions, the channels moving together.
    /// Differences: where the scaled reach is less than 1 px, it is 1 px, and an exchange takes place with the scaled reach as
    /// its probability. The authors' exchange of colour pixels in fact copies the partner's value, as the other is overwritten
    /// before it is read; here both change places, as is meant, which carries some pixels farther.
    /// </remarks>
    public static void GlassBlur(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double sigma = shape.Published<double>(level, [0.05, 0.25, 0.4, 0.25, 0.4], [0.1, 0.5, 0.6, 0.7, 0.9],
            [0.7, 0.9, 1, 1.1, 1.5]) * shape.Scale;
        double scaledReach = shape.Published<double>(level, [1, 1, 1, 1, 1], [1, 1, 1, 2, 2], [1, 2, 2, 3, 4]) * shape.Scale;
        int rounds = shape.Published<int>(level, [1, 1, 1, 2, 2], [1, 1, 2, 1, 2], [2, 1, 3, 2, 2]),
            reach = Math.Max(1, (int)Math.Round(scaledReach));
        var blurred = new float[image.Length];
        GaussianBlur(image, blurred, shape, sigma);
        for (int round = 0; round < rounds; round++)
            for (int y = shape.Height - reach; y >= reach; y--)
                for (int x = shape.Width - reach; x >= reach; x--)
                {
                    if (scaledReach < 1 && !random.Bernoulli(scaledReach)) continue;
                    int otherY = y + random.NextInt(2 * reach) - reach, otherX = x + random.NextInt(2 * reach) - reach;
                    Exchange(blurred, shape, y * shape.Width + x, otherY * shape.Width + otherX);
                }
        GaussianBlur(blurred, result, shape, sigma);

        static void Exchange(float[] planes, PlaneShape shape, int a, int b)
        {
            for (int first = 0; first < planes.Length; first += shape.Area)
                (planes[first + a], planes[first + b]) = (planes[first + b], planes[first + a]);
        }
    }

    /// <summary>Averages along a line of random direction, weighted by one half of a Gaussian.</summary>
    public static void MotionBlur(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double radius = shape.Published<double>(level, [6, 6, 6, 8, 9], [10, 10, 10, 10, 12], [10, 15, 15, 15, 20]);
        double sigma = shape.Published<double>(level, [1, 1.5, 2, 2, 2.5], [1, 1.5, 2, 2.5, 3], [3, 5, 8, 12, 15]);
        MotionKernel(radius * shape.Scale, sigma * shape.Scale, random.Uniform(-45, 45)).Filter(image, result, shape);
    }

    /// <summary>One half of a Gaussian along a line.</summary>
    /// <remarks>Source: ImageMagick's motion blur, which the authors call: the line is twice the radius long.</remarks>
    /// <param name="radius">In pixels.</param>
    /// <param name="sigma">In pixels.</param>
    /// <param name="degrees">0 = along the rows.</param>
    private static ShiftKernel MotionKernel(double radius, double sigma, double degrees)
    {
        int steps = Math.Max(20, (int)Math.Ceiling(2 * radius));
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        var kernel = new ShiftKernel(2 * radius);
        for (int i = 0; i <= steps; i++)
        {
            double distance = 2 * radius * i / steps;
            kernel.Add(distance * cos, distance * sin, Math.Exp(-0.5 * (distance / sigma) * (distance / sigma)));
        }
        return kernel;
    }

    /// <summary>Averages the image and its enlargements about its centre.</summary>
    /// <remarks>
    /// The numbers of enlargements are those that the authors' ranges give: numpy's arange(1, 1.11, 0.01) ends with 1.11,
    /// 12 numbers, and arange(1, 1.16, 0.01) with 1.15.
    /// </remarks>
    public static void ZoomBlur(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        int count = shape.Published<int>(level, [7, 12, 16, 21, 26], [7, 12, 16, 21, 26], [12, 16, 11, 13, 11]);
        double step = shape.Published<double>(level, [0.01, 0.01, 0.01, 0.01, 0.01], [0.01, 0.01, 0.01, 0.01, 0.01],
            [0.01, 0.01, 0.02, 0.02, 0.03]);
        double centreX = (shape.Width - 1) / 2.0, centreY = (shape.Height - 1) / 2.0;
        image.CopyTo(result);
        for (int k = 0; k < count; k++)
            for (int i = 0; i < shape.Area; i++)
            {
                double zoom = 1 + k * step;
                var at = new BilinearPoint(centreX + (i % shape.Width - centreX) / zoom,
                    centreY + (i / shape.Width - centreY) / zoom, shape);
                for (int first = 0; first < image.Length; first += shape.Area) result[first + i] += at.Of(image[first..]);
            }
        foreach (ref float value in result) value /= count + 1;
    }

    /// <summary>Bleaches the image and adds flakes that fall in a random direction, and the same turned by half a turn.</summary>
    /// <remarks>
    /// Definition: flakes are normal noise of cells of some pixels, enlarged bilinearly, set to 0 below a
    /// threshold, then motion-blurred.
    /// Differences: grey is the authors' luma for three channels and the mean of the channels for others.
    /// </remarks>
    public static void Snow(ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float kept = shape.Published<float>(level, [0.95f, 0.9f, 0.9f, 0.85f, 0.8f], [0.8f, 0.8f, 0.7f, 0.65f, 0.6f],
            [0.8f, 0.7f, 0.7f, 0.65f, 0.55f]);
        float[] flakes = Flakes(shape, level, ref random);
        for (int i = 0; i < shape.Area; i++)
        {
            float fallen = flakes[i] + flakes[shape.Area - 1 - i], bleached = 1.5f * Grey(image, shape, i) + 0.5f;
            for (int j = i; j < image.Length; j += shape.Area)
                result[j] = kept * image[j] + (1 - kept) * Math.Max(image[j], bleached) + fallen;
        }

        static float Grey(ReadOnlySpan<float> image, PlaneShape shape, int i)
        {
            if (shape.Channels == 3)
                return 0.299f * image[i] + 0.587f * image[shape.Area + i] + 0.114f * image[2 * shape.Area + i];
            float sum = 0;
            for (int j = i; j < image.Length; j += shape.Area) sum += image[j];
            return sum / shape.Channels;
        }
    }

    /// <summary>One plane of falling snow.</summary>
    private static float[] Flakes(PlaneShape shape, int level, ref RandomStream random)
    {
        double mean = shape.Published<double>(level, [0.1, 0.1, 0.15, 0.25, 0.3], [0.1, 0.1, 0.15, 0.25, 0.3],
            [0.1, 0.2, 0.55, 0.55, 0.55]);
        float deviation = shape.Published<float>(level, [0.2f, 0.2f, 0.3f, 0.3f, 0.3f], [0.2f, 0.2f, 0.3f, 0.3f, 0.3f],
            [0.3f, 0.3f, 0.3f, 0.3f, 0.3f]);
        double cell = Math.Max(1, shape.Published<double>(level, [1, 1, 1.75, 2.25, 1.25], [1, 1, 1.75, 2.25, 1.25],
            [3, 2, 4, 4.5, 2.5]) * shape.Scale);
        float threshold = shape.Published<float>(level, [0.6f, 0.5f, 0.55f, 0.6f, 0.65f], [0.6f, 0.5f, 0.55f, 0.6f, 0.65f],
            [0.5f, 0.5f, 0.9f, 0.85f, 0.85f]);
        double radius = shape.Published<double>(level, [8, 10, 10, 12, 14], [8, 10, 10, 12, 14], [10, 12, 12, 12, 12]);
        double sigma = shape.Published<double>(level, [3, 4, 4, 6, 12], [3, 4, 4, 6, 12], [4, 4, 8, 8, 12]);

        var cells = new PlaneShape(1, (int)(shape.Height / cell) + 2, (int)(shape.Width / cell) + 2);
        float[] noise = new float[cells.Area], flakes = new float[shape.Area], fallen = new float[shape.Area];
        random.FillNormal(noise);
        for (int i = 0; i < flakes.Length; i++)
        {
            float value =
                (float)mean + deviation * new BilinearPoint(i % shape.Width / cell, i / shape.Width / cell, cells).Of(noise);
            flakes[i] = value < threshold ? 0 : Math.Min(value, 1);
        }
        MotionKernel(radius * shape.Scale, sigma * shape.Scale, random.Uniform(-135, -45))
            .Filter(flakes, fallen, shape with { Channels = 1 });
        return fallen;
    }

    /// <summary>Mixes the image with a texture of frost.</summary>
    /// <remarks>
    /// Differences: the authors' frost is a cut from one of five photographs; here it is grey, and made of the ridges of two
    /// plasma fractals over the first of them. The weights of the mixture are theirs.
    /// </remarks>
    public static void Frost(ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float kept = shape.Published<float>(level, [1, 1, 0.9f, 0.85f, 0.75f], [1, 0.9f, 0.8f, 0.75f, 0.7f],
            [1, 0.8f, 0.7f, 0.65f, 0.6f]);
        float added = shape.Published<float>(level, [0.2f, 0.3f, 0.4f, 0.4f, 0.45f], [0.3f, 0.4f, 0.45f, 0.5f, 0.55f],
            [0.4f, 0.6f, 0.7f, 0.7f, 0.75f]);
        float[] coarse = Plasma(shape, 1.4, ref random), fine = Plasma(shape, 1.2, ref random);
        for (int i = 0; i < image.Length; i++)
        {
            float ridges = Math.Max(Ridge(coarse[i % shape.Area]), Ridge(fine[i % shape.Area]));
            result[i] = kept * image[i] + added * (0.3f * coarse[i % shape.Area] + 0.7f * ridges);
        }

        // 1 where the fractal passes through its middle, steeply down to 0 beside it
        static float Ridge(float value)
        {
            float height = 1 - Math.Abs(2 * value - 1);
            return height * height * height * height;
        }
    }

    /// <summary>Adds a plasma fractal and scales back to the image's largest value.</summary>
    public static void Fog(ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float added = shape.Published<float>(level, [0.2f, 0.5f, 0.75f, 1, 1.5f], [0.4f, 0.7f, 1, 1.5f, 2],
            [1.5f, 2, 2.5f, 2.5f, 3]), largest = 0;
        float[] plasma = Plasma(shape,
            shape.Published<double>(level, [3, 3, 2.5, 2, 1.75], [3, 3, 2.5, 2, 1.75], [2, 2, 1.7, 1.5, 1.4]), ref random);
        foreach (float value in image) largest = Math.Max(largest, value);
        for (int i = 0; i < image.Length; i++)
            result[i] = (image[i] + added * plasma[i % shape.Area]) * largest / (largest + added);
    }

    /// <summary>A fractal of values from 0 to 1, the same at every size but for its finest details.</summary>
    /// <remarks>
    /// Definition: diamond-square on a torus whose side is a power of two. From one grid to the next, of half the distance,
    /// points in the middle of four known ones become their mean plus a uniform number, whose range then shrinks by decay^2.
    /// Source: the authors' fog, where the square is a product of two equal factors.
    /// </remarks>
    /// <param name="shape">H and W of the part that is returned.</param>
    /// <param name="decay">More than 1; the smaller, the rougher.</param>
    /// <param name="random">The sample's stream.</param>
    /// <returns>(H, W).</returns>
    private static float[] Plasma(PlaneShape shape, double decay, ref RandomStream random)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(shape.Height, shape.Width)), mask = size - 1;
        var map = new double[size * size];
        double range = 1;
        for (int step = size; step >= 2; step /= 2, range /= decay * decay)
        {
            int half = step / 2;
            for (int y = half; y < size; y += step)
                for (int x = half; x < size; x += step)
                    map[y * size + x] =
                        (At(y - half, x - half) + At(y - half, x + half) + At(y + half, x - half) + At(y + half, x + half)) / 4
                            + random.Uniform(-range, range);
            for (int y = 0; y < size; y += half)
                for (int x = (y + half) % step; x < size; x += step)
                    map[y * size + x] = (At(y - half, x) + At(y + half, x) + At(y, x - half) + At(y, x + half)) / 4
                        + random.Uniform(-range, range);
        }
        double low = map.Min(), high = map.Max();
        var part = new float[shape.Area];
        for (int i = 0; i < part.Length; i++) part[i] = (float)((At(i / shape.Width, i % shape.Width) - low) / (high - low));
        return part;

        double At(int y, int x) => map[(y & mask) * size + (x & mask)];
    }

    /// <summary>Displaces pixels by a random affine map and a smooth random field.</summary>
    /// <remarks>
    /// Definition: pixel p becomes the image at A(p + field(p)). A displaces three corners of a square of two thirds of the side,
    /// each by a uniform vector; the field is uniform noise, -1 to 1, after a Gaussian, times alpha. The noise is one number per
    /// pixel, so that a field of the same shape at another size needs alpha times the square of the scale.
    /// Differences: A is drawn as the map from the result to the image, where the authors draw its inverse; one bilinear
    /// interpolation takes the place of two; the Gaussian's window ends at the image's side.
    /// </remarks>
    public static void Elastic(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        int unit = shape.PublishedSide == 224 ? 244 : shape.PublishedSide; // 244 is the authors'
        double alpha = unit * shape.Published<double>(level, [0, 0.05, 0.08, 0.1, 0.1], [0, 0.05, 0.1, 0.1, 0.16],
            [2, 2, 0.05, 0.07, 0.12]) * shape.Scale * shape.Scale;
        double sigma = unit * shape.Published<double>(level, [0, 0.2, 0.06, 0.04, 0.03], [0, 0.3, 0.08, 0.03, 0.03],
            [0.7, 0.08, 0.01, 0.01, 0.01]) * shape.Scale;
        double affine = unit * shape.Published<double>(level, [0.08, 0.07, 0.06, 0.05, 0.03], [0.08, 0.06, 0.06, 0.03, 0.02],
            [0.1, 0.2, 0.02, 0.02, 0.02]) * shape.Scale;
        var map = new AffineMap(shape, affine, ref random);
        // zeros where there is no field
        float[] fieldX = SmoothNoise(shape, sigma, ref random), fieldY = SmoothNoise(shape, sigma, ref random);
        for (int i = 0; i < shape.Area; i++)
        {
            BilinearPoint at = map.Of(i % shape.Width + alpha * fieldX[i], i / shape.Width + alpha * fieldY[i], shape);
            for (int first = 0; first < image.Length; first += shape.Area) result[first + i] = at.Of(image[first..]);
        }
    }

    private static float[] SmoothNoise(PlaneShape shape, double sigma, ref RandomStream random)
    {
        float[] noise = new float[shape.Area], smooth = new float[shape.Area];
        if (sigma == 0) return smooth;
        foreach (ref float value in noise.AsSpan()) value = (float)random.Uniform(-1, 1);
        GaussianBlur(noise, smooth, shape, sigma);
        return smooth;
    }

    private static void GaussianBlur(ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, double sigma)
    {
        float[] weights = GaussianFilter.Weights<float>(sigma, GaussianFilter.KernelFor(sigma, shape.Side));
        for (int first = 0; first < image.Length; first += shape.Area)
            GaussianFilter.Blur<float>(image.Slice(first, shape.Area), result.Slice(first, shape.Area),
                shape.Height, shape.Width, weights);
    }

    /// <summary>The affine map that displaces three corners of a square, a third of the side from the
    /// centre, at random.</summary>
    private readonly struct AffineMap
    {
        private readonly double _centreX, _centreY;
        private readonly Vector2 _shift, _perX, _perY; // displacement at the centre, and its change per pixel

        public AffineMap(PlaneShape shape, double reach, ref RandomStream random)
        {
            (_centreX, _centreY) = ((shape.Width - 1) / 2.0, (shape.Height - 1) / 2.0);
            Vector2 rightBelow = Draw(ref random), rightAbove = Draw(ref random), leftAbove = Draw(ref random);
            float square = 2 * (shape.Side / 3);
            _perY = (rightBelow - rightAbove) / square;
            _perX = (rightAbove - leftAbove) / square;
            _shift = (rightBelow + leftAbove) / 2;

            Vector2 Draw(ref RandomStream random) =>
                new((float)random.Uniform(-reach, reach), (float)random.Uniform(-reach, reach));
        }

        public BilinearPoint Of(double x, double y, PlaneShape shape)
        {
            Vector2 displacement = _shift + _perX * (float)(x - _centreX) + _perY * (float)(y - _centreY);
            return new BilinearPoint(x + displacement.X, y + displacement.Y, shape);
        }
    }
}
