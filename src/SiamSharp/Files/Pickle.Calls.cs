using System.Text;

namespace SiamSharp.Files;

// What stands for the functions that a pickle names: each of a short list is a way to fill a record.
internal sealed partial class Pickle
{
    /// <summary>What stands for the call of one of the allowed functions.</summary>
    private object Call(object? function, object? arguments)
    {
        if (arguments is not Tuple { Items: var given }) throw Fault("something else than a function is called");
        if (function is Opaque opaque) return new Opaque(opaque.Name, []);
        if (function is not Global { Name: var name }) throw Fault("something else than a function is called");
        return (name, given) switch
        {
            ("collections.OrderedDict", []) => new Dict([]),
            ("collections.defaultdict" or "builtins.dict" or "__builtin__.dict", []) or ("collections.defaultdict", [_]) =>
                new Dict([]),
            ("collections.Counter", [Dict counts]) => counts,
            ("collections.OrderedDict", [List<object?> pairs]) => Made(pairs.Count, () => new Dict([.. pairs.Select(Pair)])),
            // how bytes are written in protocol 2
            ("_codecs.encode", [string text, "latin1"]) => Made(text.Length / 16, () => Encoding.Latin1.GetBytes(text)),
            ("torch.Size", [Tuple sizes]) => sizes,
            ("torch._utils._rebuild_parameter" or "torch._utils._rebuild_parameter_with_state", [TensorView tensor, ..]) =>
                tensor,
            // a tensor with attributes
            ("torch._tensor._rebuild_from_type_v2",
                [Global { Name: "torch._utils._rebuild_tensor_v2" } rebuild, Global, Tuple inner, ..]) => Call(rebuild, inner),
            ("torch._utils._rebuild_tensor", [Storage storage, long offset, Tuple shape, Tuple strides]) =>
                View(storage, offset, shape, strides),
            ("torch._utils._rebuild_tensor_v2", [Storage storage, long offset, Tuple shape, Tuple strides, ..]) =>
                View(storage, offset, shape, strides),
            _ when s_tensors.Contains(name) => throw Fault($"{name} has other arguments than PyTorch gives it"),
            _ when name.StartsWith("torch._utils._rebuild_", StringComparison.Ordinal) => throw Fault($"it asks for {name}: "
                + "tensors of that kind are not read. Save them as plain ones, such as tensor.dense() or .dequantize()"),
            _ => new Opaque(name, []),
        };
    }

    private object Made(long objects, Func<object> make)
    {
        Spend(objects);
        return make();
    }

    private KeyValuePair<object?, object?> Pair(object? item) => item switch
    {
        List<object?> { Count: 2 } pair => new(pair[0], pair[1]),
        Tuple { Items: [var key, var value] } => new(key, value),
        _ => throw Fault("an OrderedDict is made of something else than pairs"),
    };

    /// <summary>A view that lies within its storage.</summary>
    private TensorView View(Storage storage, long offset, Tuple shape, Tuple strides)
    {
        long[] sizes = Integers(shape), steps = Integers(strides);
        if (sizes.Length != steps.Length || sizes.Length > 64)
            throw Fault($"a tensor has {sizes.Length} sizes and {steps.Length} strides");
        Int128 count = 1, last = offset;
        for (int d = 0; d < sizes.Length; d++)
        {
            count = Int128.Min(count * sizes[d], long.MaxValue);
            last = Int128.Min(last + (Int128)Math.Max(0, sizes[d] - 1) * steps[d], long.MaxValue);
        }
        if (offset < 0 || count > storage.Count || (count > 0 && last >= storage.Count))
        {
            throw Fault($"a tensor of [{string.Join(", ", sizes)}] with strides [{string.Join(", ", steps)}] from {offset} "
                + "on does not lie in its storage "
                + $"of {storage.Count} elements");
        }
        return new(storage, offset, sizes, steps);
    }

    private long[] Integers(Tuple tuple) =>
        [
        .. tuple.Items.Select(item => item is long and >= 0 ? (long)item : throw Fault($"{item ?? "None"} is no size or stride"))
    ];

    private Storage Persistent(object? id)
    {
        Storage storage = id
            is Tuple { Items: ["storage", Global { Name: var type }, string key, string, long count, .. var view] } && count >= 0
            && view.All(v => v is null)
            ? type.StartsWith("torch.", StringComparison.Ordinal) && s_storages.Contains(type[6..]) ? new(type[6..], key, count)
                : throw Fault($"it asks for {type}: numbers of that type are not read")
            : throw Fault("a persistent id is not that of a tensor's storage");
        return _storages[storage.Key] = storage;
    }

    private static readonly string[] s_tensors =
    [
        "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state", "torch._tensor._rebuild_from_type_v2", "collections.OrderedDict",
        "torch.Size",
    ];

    private Global Named(string name)
    {
        bool isKnown = s_tensors.Contains(name) || name is "_codecs.encode" or "collections.defaultdict" or "collections.Counter"
            or "builtins.dict" or "__builtin__.dict"
            || (name.StartsWith("torch.", StringComparison.Ordinal) && s_storages.Contains(name[6..]));
        if (!isKnown && name is not ("builtins.set" or "__builtin__.set" or "builtins.frozenset" or "__builtin__.frozenset"))
            _unknown.Add(name);
        return new(name);
    }

    private static readonly string[] s_storages =
    [
        "DoubleStorage", "FloatStorage", "HalfStorage", "BFloat16Storage", "LongStorage", "IntStorage", "ShortStorage",
        "CharStorage", "ByteStorage", "BoolStorage",
    ];
}
