using SiamSharp.Data;

namespace SiamSharp.Tests.Data;

/// <summary>Images made by a function, for what the file formats do not matter to.</summary>
internal sealed class FakeSource(int count, Func<int, Pixels> decode) : IImageSource
{
    public string Name => "fake";
    public int Count => count;
    public int NativeSize { get; init; } = 2;
    public IReadOnlyList<string>? ClassNames { get; init; }
    public Func<int, int> Label { get; init; } = _ => -1;
    public string PathOf(int index) => $"fake/{index}";
    public int LabelOf(int index) => Label(index);
    public Pixels Decode(int index, int size) => decode(index);
    public ImageInfo InfoOf(int index) => new(4, 4, 1, 8);

    /// <summary>Images of one value each: the index.</summary>
    public static FakeSource Numbered(int count) => new(count, One);

    /// <summary>Grey, 2 x 2, all four values the index modulo 256.</summary>
    public static Pixels One(int index)
    {
        byte value = (byte)index;
        return new Pixels(new[] { value, value, value, value }, 1, 2, 2);
    }
}
