using SiamSharp.Optim;
using Xunit;

namespace SiamSharp.Tests.Optim;

public sealed class LearningRateScheduleTests
{
    [Theory]
    [InlineData(0, 0.25)]
    [InlineData(3, 1.0)]
    [InlineData(4, 1.0)]
    [InlineData(6, 0.8681980515339464)] // 0.1 + 0.9 (1 + cos(pi / 4)) / 2
    [InlineData(8, 0.55)]
    [InlineData(12, 0.1)]
    [InlineData(99, 0.1)]
    public void At_Step_FollowsWarmupAndCosine(long step, double expected)
    {
        var schedule = new LearningRateSchedule(Peak: 1, WarmupSteps: 4, TotalSteps: 12, Final: 0.1);
        Assert.Equal(expected, schedule.At(step), 1e-12);
    }

    [Fact]
    public void At_AllSteps_RisesThenFalls()
    {
        var schedule = new LearningRateSchedule(0.3, WarmupSteps: 10, TotalSteps: 100);
        double[] rates = [.. Enumerable.Range(0, 100).Select(s => schedule.At(s))];
        Assert.Equal(rates[..10].Order(), rates[..10]);
        Assert.Equal(rates[10..].OrderDescending(), rates[10..]);
        Assert.True(rates[99] is > 0 and < 0.001);
    }

    [Fact]
    public void At_NoWarmup_StartsAtThePeak() => Assert.Equal(0.3, new LearningRateSchedule(0.3, 0, 10).At(0));
}
