using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace SiamSharp.Files;

/// <summary>Reads the pickles that PyTorch writes, as data: it makes containers and descriptions of tensors,
/// and calls nothing.</summary>
/// <remarks>
/// Definition: of protocol 2 and later the opcodes that the values named at <see cref="Read"/> need. A pickle names the
/// functions that are to be called; here each of a short list stands for a way to fill a record. Any other makes an
/// <see cref="Opaque"/> value: what such a class was called with and its attributes are passed over, so that options, dates or
/// numbers beside the tensors do no harm.
/// Source: CPython's pickletools; torch/_utils.py and torch/serialization.py for the names.
/// Cost: linear in the bytes; no opcode makes more than one object, and none is larger than the bytes that it is made of.
/// </remarks>
/// <param name="bytes">One pickle, or several on end.</param>
internal sealed partial class Pickle(byte[] bytes)
{
    private readonly byte[] _bytes = bytes;
    private readonly List<object?> _stack = [], _memo = [];
    private readonly Stack<int> _marks = new();
    private const int MaxObjects = 2_000_000; // a state dict of a thousand tensors makes fewer than 100,000
    private int _position;
    private long _made;

    /// <summary>A dict of any kind; Python's later entries of a key replace earlier ones, here both are kept.</summary>
    public sealed record Dict(List<KeyValuePair<object?, object?>> Items);

    /// <summary>A tuple.</summary>
    public sealed record Tuple(object?[] Items);

    /// <summary>Where the elements of tensors lie.</summary>
    /// <param name="Type">Such as FloatStorage.</param>
    /// <param name="Key">Its name in the file.</param>
    /// <param name="Count">Elements.</param>
    public sealed record Storage(string Type, string Key, long Count);

    /// <summary>A tensor: a view of a storage.</summary>
    public sealed record TensorView(Storage Storage, long Offset, long[] Shape, long[] Strides);

    /// <summary>An object of a class that is not known, of which only the items are kept where it was
    /// filled like a dict.</summary>
    public sealed record Opaque(string Name, List<KeyValuePair<object?, object?>> Items);

    /// <summary>A class or function by its name.</summary>
    public sealed record Global(string Name);

    /// <summary>The names of all classes and functions that the pickle asks for and that are not known, each once.</summary>
    public IReadOnlyCollection<string> Unknown => _unknown;

    /// <summary>Every storage that was met by its name, also those of tensors that were passed over.</summary>
    public IReadOnlyDictionary<string, Storage> Storages => _storages;

    private readonly Dictionary<string, Storage> _storages = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _unknown = new(StringComparer.Ordinal);

    /// <summary>Bytes read so far.</summary>
    public int Position => _position;

    /// <summary>Reads the next pickle.</summary>
    /// <returns>null, bool, long, <see cref="BigInteger"/>, double, string, byte[], List of these, <see cref="Tuple"/>,
    /// <see cref="Dict"/>, <see cref="Storage"/>, <see cref="TensorView"/>, <see cref="Opaque"/>, or
    /// <see cref="Global"/>.</returns>
    /// <exception cref="PickleException">It is damaged, or holds tensors of a kind that is not known.</exception>
    public object? Read()
    {
        _stack.Clear();
        _memo.Clear();
        _marks.Clear();
        while (true)
        {
            byte opcode = Take(1)[0];
            if (opcode == '.') return _stack.Count == 1 ? _stack[0] : throw Fault("the pickle ends with an unfinished value");
            Step(opcode);
        }
    }

    /// <summary>Counts what is made, so that a small file cannot fill the memory.</summary>
    private void Spend(long objects)
    {
        if ((_made += objects) > MaxObjects) throw Fault($"it makes more than {MaxObjects} objects");
    }

    private void Step(byte opcode)
    {
        Spend(1);
        switch (opcode)
        {
            case 0x80: // PROTO
                if (Take(1)[0] is < 2 or > 5) throw Fault($"the pickle's protocol is {_bytes[_position - 1]}; 2 to 5 are read");
                break;
            case 0x95: Take(8); break; // FRAME

            case (byte)'N': _stack.Add(null); break;
            case 0x88: _stack.Add(true); break;
            case 0x89: _stack.Add(false); break;
            case (byte)'K': _stack.Add((long)Take(1)[0]); break;
            case (byte)'M': _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case (byte)'J': _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            // LONG1
            case 0x8a:
                { var n = new BigInteger(Take(Take(1)[0])); _stack.Add(n.GetBitLength() < 64 ? (object)(long)n : n); break; }
            case (byte)'G': _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case (byte)'X': _stack.Add(Text(Take(Length4()))); break;
            case 0x8c: _stack.Add(Text(Take(Take(1)[0]))); break;
            case 0x8d: _stack.Add(Text(Take(Length8()))); break;
            case (byte)'T': _stack.Add(Text(Take(Length4()))); break; // str of Python 2
            case (byte)'U': _stack.Add(Text(Take(Take(1)[0]))); break;
            case (byte)'B': _stack.Add(Take(Length4()).ToArray()); break;
            case (byte)'C': _stack.Add(Take(Take(1)[0]).ToArray()); break;
            case 0x8e: _stack.Add(Take(Length8()).ToArray()); break;

            case (byte)'(': _marks.Push(_stack.Count); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)')': _stack.Add(new Tuple([])); break;
            case 0x85: _stack.Add(new Tuple([Pop()])); break;
            case 0x86: { var (b, a) = (Pop(), Pop()); _stack.Add(new Tuple([a, b])); break; }
            case 0x87: { var (c, b, a) = (Pop(), Pop(), Pop()); _stack.Add(new Tuple([a, b, c])); break; }
            case (byte)'t': _stack.Add(new Tuple(PopToMark())); break;
            case (byte)'2': { object? top = Pop(); _stack.Add(top); _stack.Add(top); break; }
            // LONG4
            case 0x8b:
                { var n = new BigInteger(Take(Length4())); _stack.Add(n.GetBitLength() < 64 ? (object)(long)n : n); break; }
            case 0x96: _stack.Add(Take(Length8()).ToArray()); break; // bytearray
            case 0x8f: _stack.Add(new Opaque("builtins.set", [])); break; // sets hold no tensors
            case 0x90: PopToMark(); Top<Opaque>("a set"); break;
            case 0x91: PopToMark(); _stack.Add(new Opaque("builtins.frozenset", [])); break;
            case (byte)']': _stack.Add(new List<object?>()); break;
            case (byte)'l': _stack.Add(new List<object?>(PopToMark())); break;
            case (byte)'a': { object? item = Pop(); Append([item]); break; }
            case (byte)'e': Append(PopToMark()); break;
            case (byte)'}': _stack.Add(new Dict([])); break;
            case (byte)'d': { var items = PopToMark(); _stack.Add(new Dict([])); Set(items); break; }
            case (byte)'s': { var (value, key) = (Pop(), Pop()); Set([key, value]); break; }
            case (byte)'u': Set(PopToMark()); break;

            case (byte)'q': Remember(Take(1)[0]); break;
            case (byte)'r': Remember(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case 0x94: Remember(_memo.Count); break;
            case (byte)'h': Recall(Take(1)[0]); break;
            case (byte)'j': Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;

            case (byte)'c': _stack.Add(Named($"{Line()}.{Line()}")); break;
            case 0x93: // STACK_GLOBAL
                {
                    _stack.Add((Pop(), Pop()) is (string name, string module) ? Named($"{module}.{name}")
                        : throw Fault("a global's name is no text"));
                    break;
                }
            case (byte)'R': { object? arguments = Pop(), function = Pop(); _stack.Add(Call(function, arguments)); break; }
            case 0x81: goto case (byte)'R'; // NEWOBJ
            case 0x92: Pop(); goto case (byte)'R'; // NEWOBJ_EX, without the arguments that have names
            case (byte)'b': Pop(); Top<object>("an object"); break; // attributes, such as a state dict's _metadata
            case (byte)'Q': _stack.Add(Persistent(Pop())); break;
            default: throw Fault($"the opcode 0x{opcode:x2} is not among those that PyTorch's state dicts need");
        }
    }

    /// <summary>Adds to a list, or to what is like one.</summary>
    private void Append(object?[] items)
    {
        switch (Top<object>("a list"))
        {
            case List<object?> list: list.AddRange(items); break;
            case Opaque opaque:
                foreach (object? item in items) opaque.Items.Add(new((long)opaque.Items.Count, item));
                break;
            default: throw Fault("a list is missing");
        }
    }

    private void Set(object?[] items)
    {
        var target = Top<object>("a dict") switch
        {
            Dict dict => dict.Items,
            Opaque opaque => opaque.Items,
            _ => throw Fault("a dict is missing")
        };
        if (items.Length % 2 != 0) throw Fault("a key has no value");
        for (int i = 0; i < items.Length; i += 2) target.Add(new(items[i], items[i + 1]));
    }

    // PyTorch numbers what it remembers one after the other.
    private void Remember(long index)
    {
        object? value = _stack.Count > Floor ? _stack[^1] : throw Fault("there is nothing to remember");
        if (index == _memo.Count) _memo.Add(value);
        else if (index < _memo.Count) _memo[(int)index] = value;
        else throw Fault($"{index} is remembered after {_memo.Count} others");
    }

    private void Recall(long index) =>
        _stack.Add(index < _memo.Count ? _memo[(int)index] : throw Fault($"{index} was never remembered"));

    /// <summary>Values below this belong to what began before the last mark.</summary>
    private int Floor => _marks.Count > 0 ? _marks.Peek() : 0;

    private object? Pop()
    {
        if (_stack.Count <= Floor) throw Fault("a value is missing");
        object? value = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0) throw Fault("a mark is missing");
        int start = _marks.Pop();
        object?[] items = [.. _stack[start..]];
        _stack.RemoveRange(start, items.Length);
        return items;
    }

    private T Top<T>(string what) where T : class =>
        _stack.Count > Floor && _stack[^1] is T value ? value : throw Fault($"{what} is missing");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _position) throw Fault($"it ends {count - (_bytes.Length - _position)} bytes too early");
        _position += count;
        return _bytes.AsSpan(_position - count, count);
    }

    private int Length4() => (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));

    private int Length8() => (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(Take(8)));

    private string Line()
    {
        int end = _bytes.AsSpan(_position).IndexOf((byte)'\n');
        string line = Text(Take(end < 0 ? int.MaxValue : end));
        Take(1);
        return line;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private PickleException Fault(string problem) => new(_position, problem);
}
