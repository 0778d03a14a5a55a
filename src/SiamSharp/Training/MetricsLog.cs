using System.Globalization;
using System.Text;

namespace SiamSharp.Training;

/// <summary>Appends lines to metrics.jsonl; goes back to a known length when a run is resumed.</summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;

    /// <summary>Opens the log and cuts it to the length it had at the checkpoint.</summary>
    /// <exception cref="RunException">The file is shorter than that, or cannot be written.</exception>
    internal MetricsLog(string path, long length)
    {
        _path = path;
        FileStream? file = null;
        RunFolder.Writing(path, () => file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0));
        _file = file!;
        if (_file.Length < length)
        {
            long found = _file.Length;
            _file.Dispose();
            throw new RunException($"{path} has {found} bytes, but the checkpoint was written when it had {length}: it was cut or replaced. "
                + "Restore it, or start anew in another folder.");
        }
        _file.SetLength(length);
        _file.Seek(0, SeekOrigin.End);
    }

    /// <summary>Bytes written so far, all on disk after <see cref="Flush"/>.</summary>
    internal long Length => _file.Position;

    /// <summary>Appends one line of numbers, in full precision.</summary>
    /// <exception cref="RunException">The disk is full.</exception>
    internal void Write(long step, int epoch, double learningRate, double gradientNorm, double loss, IEnumerable<(string Name, double Value)> terms)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{{\"step\":{step},\"epoch\":{epoch},\"lr\":{learningRate:R},\"gradNorm\":{gradientNorm:R},\"loss\":{loss:R}");
        foreach (var (name, value) in terms) line.Append(CultureInfo.InvariantCulture, $",\"{name}\":{value:R}");
        byte[] bytes = Encoding.UTF8.GetBytes(line.Append("}\n").ToString());
        RunFolder.Writing(_path, () => _file.Write(bytes));
    }

    internal void Flush() => RunFolder.Writing(_path, () => _file.Flush(flushToDisk: true));

    public void Dispose() => _file.Dispose();
}
