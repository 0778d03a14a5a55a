using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class DecodingMemoryTests
{
    [Fact]
    public void Take_MoreThanTheBudget_SaysHowMuch() =>
        Assert.Contains("more than half of the memory here",
            Assert.Throws<UnreadableImageException>(() => DecodingMemory.Take("a.png", DecodingMemory.Budget + 1)).Reason);

    [Fact]
    public void Take_LargeImages_WaitForOneAnother()
    {
        long share = DecodingMemory.Budget / 2 + 1; // two do not fit
        int inside = 0, most = 0;
        var workers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                using (DecodingMemory.Take("a.png", share))
                {
                    most = Math.Max(most, Interlocked.Increment(ref inside));
                    Thread.Yield();
                    Interlocked.Decrement(ref inside);
                }
            }
        })).ToArray();
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        Assert.Equal(1, most);
        DecodingMemory.Take("a.png", DecodingMemory.Budget).Dispose(); // all of it is free again
    }
}
