using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>Each storage of a file once, as a tensor of one dimension.</summary>
internal sealed class StorageTensors(long fileLength)
{
    private readonly Dictionary<string, (Tensor Tensor, Pickle.Storage Storage)> _read = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>The element type of each kind of storage.</summary>
    internal static readonly IReadOnlyDictionary<string, ScalarType> Types = new Dictionary<string, ScalarType>
    {
        ["DoubleStorage"] = ScalarType.Float64,
        ["FloatStorage"] = ScalarType.Float32,
        ["HalfStorage"] = ScalarType.Float16,
        ["BFloat16Storage"] = ScalarType.BFloat16,
        ["LongStorage"] = ScalarType.Int64,
        ["IntStorage"] = ScalarType.Int32,
        ["ShortStorage"] = ScalarType.Int16,
        ["CharStorage"] = ScalarType.Int8,
        ["ByteStorage"] = ScalarType.Byte,
        ["BoolStorage"] = ScalarType.Bool,
    };

    public Tensor Get(Pickle.Storage storage, Action<Tensor, long> fill)
    {
        if (_read.TryGetValue(storage.Key, out var found))
            return found.Storage == storage ? found.Tensor
                : throw new InvalidDataException($"the storage {storage.Key} is described in two ways");
        ScalarType type = Types[storage.Type];
        Int128 bytes = (Int128)storage.Count * SafeTensorsTypes.Size(type);
        if (_bytes + bytes > fileLength)
            throw new InvalidDataException($"its storages need more than the {fileLength} bytes that it has");
        _bytes += (long)bytes;
        Tensor tensor = empty(storage.Count, type, CPU);
        fill(tensor, (long)bytes);
        if (type == ScalarType.Bool && TensorBytes.FirstNoBool(tensor) is { } wrong)
            throw new InvalidDataException($"the storage {storage.Key} is of bools, but holds the byte {wrong.Value}");
        _read.Add(storage.Key, (tensor, storage));
        return tensor;
    }
}
