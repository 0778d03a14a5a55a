using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>Reads the tensors of a file that torch.save has written (.pth, .pt), without Python and without
/// executing what it asks for.</summary>
/// <remarks>
/// Definition: a zip archive of FOLDER/data.pkl and FOLDER/data/KEY, or, before PyTorch 1.6, five pickles and the storages behind
/// them. Dicts, lists and tuples within one another are laid flat: {"state_dict": {"conv1.weight": w}} gives
/// <c>state_dict.conv1.weight</c>. What is no tensor is passed over, of any class: options, dates, NumPy's numbers. Of an object
/// of an unknown class the attributes are passed over too, tensors among them; what it holds as a dict or list is read.
/// Source: torch/serialization.py. Cost: the bytes pass once from the file to the tensors, which share storages as in the file; a
/// pickle makes at most two million objects, and everything else is as long as the bytes it is made of.
/// </remarks>
public static class PyTorchFile
{
    private const int MaxPickle = 64 << 20, MaxValues = 1_000_000, MaxDepth = 100, MaxLetters = 64 << 20;

    private static ReadOnlySpan<byte> LegacyMagic => [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    /// <summary>Reads all tensors.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Tensors on the CPU by name; owned by the caller.</returns>
    /// <exception cref="PyTorchFileException">The file is damaged, or of another kind, or holds objects of unknown
    /// classes and no tensor.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path)
    {
        using var stream = RegularFile.OpenRead(path);
        using var scope = NewDisposeScope();
        try
        {
            Span<byte> start = stackalloc byte[4];
            if (stream.Length < start.Length)
                throw new InvalidDataException(FileKind.Of(stream) ?? $"it has {stream.Length} bytes only");
            stream.ReadExactly(start);
            stream.Position = 0;
            var tensors = start.StartsWith("PK"u8) ? ReadZip(stream)
                : start[0] == 0x80 ? ReadLegacy(stream)
                : throw new InvalidDataException(FileKind.Of(stream) ?? "it begins neither as a zip archive nor as a pickle");
            foreach (Tensor tensor in tensors.Values) tensor.DetachFromDisposeScope();
            return tensors;
        }
        catch (PickleException e)
        {
            throw new PyTorchFileException(path, $"{e.Message} (at byte {e.Position} of its pickle)", e);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or OverflowException)
        {
            throw new PyTorchFileException(path, e is InvalidDataException ? e.Message : "it ends too early", e);
        }
    }

    private static Dictionary<string, Tensor> ReadZip(FileStream stream)
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
        var entries = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries)
        {
            if (!entries.TryAdd(entry.FullName, entry)) throw new InvalidDataException($"it holds {entry.FullName} twice");
        }
        const string pickle = "/data.pkl";
        string[] folders = [.. entries.Keys.Where(name => name.EndsWith(pickle, StringComparison.Ordinal))
            .Select(name => name[..^pickle.Length])];
        if (folders is not [var folder])
            throw new InvalidDataException(folders.Length == 0
                ? FileKind.OfArchive(entries.Keys)
                : $"it holds {folders.Length} files called data.pkl, but torch.save writes one");
        if (entries.ContainsKey($"{folder}/constants.pkl"))
            throw new InvalidDataException("it holds a TorchScript program: " + SaveAlone);
        if (entries.TryGetValue($"{folder}/byteorder", out var order) && !Bytes(order, 16).AsSpan().SequenceEqual("little"u8))
            throw new InvalidDataException("its numbers are big-endian, which is not read");

        if (entries[folder + pickle] is { } packed && packed.CompressedLength != packed.Length)
            throw new InvalidDataException("its data.pkl is compressed, which torch.save does not do");
        var pickles = new Pickle(Bytes(entries[folder + pickle], MaxPickle));
        object? root = pickles.Read();
        var storages = new StorageTensors(stream.Length);
        return Flatten(root, pickles, view => storages.Get(view.Storage, (tensor, bytes) =>
        {
            if (!entries.TryGetValue($"{folder}/data/{view.Storage.Key}", out var entry))
                throw new InvalidDataException($"it lacks the storage {folder}/data/{view.Storage.Key}");
            if (entry.Length != bytes || entry.CompressedLength != bytes)
            {
                throw new InvalidDataException($"{entry.FullName} has {entry.Length} bytes, "
                    + $"stored as {entry.CompressedLength}, but its tensors need {bytes}, "
                    + "not compressed");
            }
            using var source = entry.Open();
            TensorBytes.Read(source, tensor);
        }));
    }

    private static Dictionary<string, Tensor> ReadLegacy(FileStream stream)
    {
        byte[] head = new byte[Math.Min(stream.Length, MaxPickle)];
        stream.ReadExactly(head);
        var pickles = new Pickle(head);
        if (pickles.Read() is not BigInteger magic || !magic.ToByteArray().AsSpan().SequenceEqual(LegacyMagic))
            throw new InvalidDataException("it is a pickle, but not one that torch.save has "
                + "written"
                + (pickles.Unknown.Count > 0 ? $", and it asks for {Some(pickles.Unknown)}; nothing is executed" : "") + ": "
                + $"{SaveAlone}");
        if (pickles.Read() is not 1001L) throw new InvalidDataException("its protocol is not 1001");
        if (pickles.Read() is not Pickle.Dict system || !system.Items.Contains(new("little_endian", true)))
            throw new InvalidDataException("its numbers are big-endian, or it does not say, which is not read");
        object? root = pickles.Read();
        if (pickles.Read() is not List<object?> keys) throw new InvalidDataException("the list of its storages is missing");
        long position = pickles.Position;

        var places = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (object? item in keys)
        {
            if (item is not string key || !pickles.Storages.TryGetValue(key, out var storage))
                throw new InvalidDataException("it lists a storage that no tensor has");
            places[key] = position;
            position = checked(position + 8 + storage.Count * SafeTensorsTypes.Size(StorageTensors.Types[storage.Type]));
        }
        var storages = new StorageTensors(stream.Length);
        return Flatten(root, pickles, view => storages.Get(view.Storage, (tensor, _) =>
        {
            if (!places.TryGetValue(view.Storage.Key, out long place))
                throw new InvalidDataException($"it lacks the storage {view.Storage.Key}");
            Span<byte> count = stackalloc byte[8];
            stream.Position = place;
            stream.ReadExactly(count);
            if (BinaryPrimitives.ReadInt64LittleEndian(count) != view.Storage.Count)
                throw new InvalidDataException($"the storage {view.Storage.Key} has "
                    + $"{BinaryPrimitives.ReadInt64LittleEndian(count)} elements, not {view.Storage.Count}");
            TensorBytes.Read(stream, tensor);
        }));
    }

    private const string SaveAlone = "save the state dict alone, torch.save(model.state_dict(), FILE)";

    private static string Some(IReadOnlyCollection<string> names) =>
        string.Join(", ", names.Take(5)) + (names.Count > 5 ? ", ..." : "");

    private static byte[] Bytes(ZipArchiveEntry entry, int most)
    {
        if (entry.Length > most) throw new InvalidDataException($"{entry.FullName} has {entry.Length} bytes, more than {most}");
        byte[] bytes = new byte[entry.Length];
        using var source = entry.Open();
        source.ReadExactly(bytes);
        return bytes;
    }

    private static Dictionary<string, Tensor> Flatten(object? root, Pickle pickle, Func<Pickle.TensorView, Tensor> storage)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        Walk(root, (name, view) =>
        {
            if (!tensors.TryAdd(name, storage(view).as_strided(view.Shape, view.Strides, view.Offset)))
                throw new InvalidDataException($"it holds {name} twice");
        });
        if (tensors.Count == 0 && pickle.Unknown.Count > 0)
            throw new InvalidDataException(
                $"it holds no tensors, but asks for {Some(pickle.Unknown)}, and nothing is executed: {SaveAlone}");
        return tensors;
    }

    /// <summary>Visits every tensor with its name.</summary>
    private static void Walk(object? root, Action<string, Pickle.TensorView> visit)
    {
        int values = 0;
        long letters = 0;
        var names = new List<string>();
        Go(root);

        void Go(object? value)
        {
            if (++values > MaxValues || names.Count > MaxDepth)
                throw new InvalidDataException(
                    $"it holds more than {MaxValues} values, or values more than {MaxDepth} deep within one another");
            switch (value)
            {
                case Pickle.TensorView view:
                    if ((letters += names.Sum(name => name.Length + 1L)) > MaxLetters)
                        throw new InvalidDataException($"the names of its tensors have more than {MaxLetters} letters");
                    visit(string.Join('.', names), view);
                    break;
                case Pickle.Dict dict: Items(dict.Items); break;
                case Pickle.Opaque opaque: Items(opaque.Items); break;
                case List<object?> list:
                    for (int i = 0; i < list.Count; i++) Inside($"{i}", list[i]);
                    break;
                case Pickle.Tuple tuple:
                    for (int i = 0; i < tuple.Items.Length; i++) Inside($"{i}", tuple.Items[i]);
                    break;
            }
        }

        void Items(List<KeyValuePair<object?, object?>> items)
        {
            foreach (var (i, (key, item)) in items.Index()) Inside(key is string or long ? $"{key}" : $"?{i}", item);
        }

        void Inside(string name, object? value)
        {
            names.Add(name);
            Go(value);
            names.RemoveAt(names.Count - 1);
        }
    }
}
