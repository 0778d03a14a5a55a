using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>The element types of safetensors: those that libtorch knows too, and some that are read into a wider one.</summary>
internal static class SafeTensorsTypes
{
    private static readonly (ScalarType Type, string Name, int Size)[] s_types =
    [
        (ScalarType.Float64, "F64", 8), (ScalarType.Int64, "I64", 8),
        (ScalarType.Float32, "F32", 4), (ScalarType.Int32, "I32", 4),
        (ScalarType.Float16, "F16", 2), (ScalarType.BFloat16, "BF16", 2), (ScalarType.Int16, "I16", 2),
        (ScalarType.Int8, "I8", 1), (ScalarType.Byte, "U8", 1), (ScalarType.Bool, "BOOL", 1),
    ];

    /// <param name="Type">What it is read into.</param>
    /// <param name="Size">Bytes of one element in the file.</param>
    /// <param name="Widen">From the file's bytes to elements of that type.</param>
    internal sealed record Widened(ScalarType Type, int Size, Action<byte[], Span<byte>> Widen);

    private static readonly Dictionary<string, Widened> s_widened = new()
    {
        ["U16"] = new(ScalarType.Int32, 2, Each<int>(2, bytes => BinaryPrimitives.ReadUInt16LittleEndian(bytes))),
        ["U32"] = new(ScalarType.Int64, 4, Each<long>(4, bytes => BinaryPrimitives.ReadUInt32LittleEndian(bytes))),
        ["U64"] = new(ScalarType.Int64, 8, Each<long>(8, bytes => checked((long)BinaryPrimitives.ReadUInt64LittleEndian(bytes)))),
        ["F8_E4M3"] = new(ScalarType.Float32, 1,
            Each<float>(1, bytes => Float8(bytes[0], exponentBits: 4, bias: 7, finite: true))),
        ["F8_E5M2"] = new(ScalarType.Float32, 1,
            Each<float>(1, bytes => Float8(bytes[0], exponentBits: 5, bias: 15, finite: false))),
    };

    private delegate T Reading<T>(ReadOnlySpan<byte> bytes);

    private static Action<byte[], Span<byte>> Each<T>(int size, Reading<T> read) where T : unmanaged => (from, to) =>
    {
        Span<T> values = MemoryMarshal.Cast<byte, T>(to);
        for (int i = 0; i < values.Length; i++) values[i] = read(from.AsSpan(i * size, size));
    };

    /// <summary>A number of 8 bits.</summary>
    /// <remarks>
    /// Source: Micikevicius et al. 2022, arXiv 2209.05433, table 1: E4M3 has no infinities and one NaN, E5M2 is as IEEE 754.
    /// </remarks>
    private static float Float8(byte bits, int exponentBits, int bias, bool finite)
    {
        int mantissaBits = 7 - exponentBits, mantissa = bits & ((1 << mantissaBits) - 1),
            exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
        int highest = (1 << exponentBits) - 1;
        float size = exponent switch
        {
            _ when exponent == highest && finite && mantissa == (1 << mantissaBits) - 1 => float.NaN,
            _ when exponent == highest && !finite => mantissa == 0 ? float.PositiveInfinity : float.NaN,
            0 => MathF.ScaleB(mantissa, 1 - bias - mantissaBits),
            _ => MathF.ScaleB(mantissa + (1 << mantissaBits), exponent - bias - mantissaBits),
        };
        return bits >= 128 ? -size : size;
    }

    /// <summary>All names, for messages.</summary>
    public static string Names { get; } = string.Join(", ", s_types.Select(t => t.Name).Concat(s_widened.Keys));

    /// <summary>The names that are written.</summary>
    public static string WrittenNames { get; } = string.Join(", ", s_types.Select(t => t.Name));

    /// <summary>Bytes of one element; <paramref name="type"/> is one of those here.</summary>
    public static int Size(ScalarType type) => s_types.First(t => t.Type == type).Size;

    /// <summary>The type that a name of the format is read into, and the bytes of one element in the file.</summary>
    public static bool TryParse(string name, out ScalarType type, out int size)
    {
        int i = Array.FindIndex(s_types, t => t.Name == name);
        if (i >= 0) (type, size) = (s_types[i].Type, s_types[i].Size);
        else if (s_widened.TryGetValue(name, out var wide)) (type, size) = (wide.Type, wide.Size);
        else (type, size) = (default, 0);
        return size > 0;
    }

    /// <summary>How elements of this name become wider; null for those that libtorch has.</summary>
    public static Widened? Widening(string name) => s_widened.GetValueOrDefault(name);

    public static bool TryName(ScalarType type, out string name)
    {
        int i = Array.FindIndex(s_types, t => t.Type == type);
        name = i < 0 ? "" : s_types[i].Name;
        return i >= 0;
    }
}
