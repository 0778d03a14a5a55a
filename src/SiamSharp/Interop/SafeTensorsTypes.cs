using static TorchSharp.torch;

namespace SiamSharp.Interop;

/// <summary>The element types that both safetensors and libtorch know.</summary>
internal static class SafeTensorsTypes
{
    private static readonly (ScalarType Type, string Name, int Size)[] s_types =
    [
        (ScalarType.Float64, "F64", 8), (ScalarType.Int64, "I64", 8),
        (ScalarType.Float32, "F32", 4), (ScalarType.Int32, "I32", 4),
        (ScalarType.Float16, "F16", 2), (ScalarType.BFloat16, "BF16", 2), (ScalarType.Int16, "I16", 2),
        (ScalarType.Int8, "I8", 1), (ScalarType.Byte, "U8", 1), (ScalarType.Bool, "BOOL", 1),
    ];

    /// <summary>All names, for messages.</summary>
    public static string Names { get; } = string.Join(", ", s_types.Select(t => t.Name));

    /// <summary>Bytes of one element; <paramref name="type"/> is one of those here.</summary>
    public static int Size(ScalarType type) => s_types.First(t => t.Type == type).Size;

    public static bool TryParse(string name, out ScalarType type)
    {
        int i = Array.FindIndex(s_types, t => t.Name == name);
        type = i < 0 ? default : s_types[i].Type;
        return i >= 0;
    }

    public static bool TryName(ScalarType type, out string name)
    {
        int i = Array.FindIndex(s_types, t => t.Type == type);
        name = i < 0 ? "" : s_types[i].Name;
        return i >= 0;
    }
}
