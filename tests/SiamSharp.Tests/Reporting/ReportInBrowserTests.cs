using Microsoft.Playwright;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Reporting;

/// <summary>The page of a tiny run in Chromium, without a network.</summary>
public sealed class ReportInBrowserTests : IAsyncLifetime
{
    private static readonly string? s_chromium =
        new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    private const float Patience = 180_000; // milliseconds: the machine may be busy

    private readonly string _root = Directory.CreateTempSubdirectory("report").FullName;
    private readonly List<string> _problems = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.CloseAsync();
        _playwright?.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private string WritePage()
    {
        static SubsetSource Part(int first, int count) => new(ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            [.. Enumerable.Range(first, count)], $"{count} & more");
        static ImageDataset Load(int first, int count) => ImageDataset.Load(Part(first, count), new DataOptions());
        Recipe recipe = Recipe.Resolve([OptionsJson.Parse("""
            { "backbone": { "width": 4, "depths": [1, 1] }, "training": { "epochs": 1, "batchSize": 32, "threads": 1 },
              "evaluation": { "baselines": false, "shots": [1] } }
            """, "tiny")], [], _ => Part(0, 32));
        var run = new RunFolder(Path.Combine(_root, "a run & <more>"));
        Pretraining.Run(recipe, Load(0, 32), run);
        var confusions = new List<Confusion>();
        run.AddScores(RunEvaluation.Evaluate(run, recipe, [Protocol.Knn, Protocol.FewShot, Protocol.Corruption], Load(0, 200),
            Load(200, 60), confusions: confusions));
        run.WriteConfusions(confusions);
        Gallery.Write(run, Load(0, 100), 64);
        RunReport.Write(run, Load(0, 32));
        return run.ReportPath;
    }

    private async Task<IPage> Open(string file, int width)
    {
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = s_chromium, Args = ["--no-sandbox"], Timeout = Patience });
        IBrowserContext context =
            await _browser.NewContextAsync(new() { Offline = true, ViewportSize = new() { Width = width, Height = 800 } });
        IPage page = await context.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        page.PageError += (_, error) => _problems.Add(error);
        page.Console += (_, message) => { if (message.Type is "error" or "warning") _problems.Add(message.Text); };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("file:", StringComparison.Ordinal)
                && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                _problems.Add(request.Url);
        };
        await page.GotoAsync(new Uri(file).AbsoluteUri);
        return page;
    }

    [Fact]
    public async Task Report_InChromium_ShowsTheImageUnderThePointerAndFitsPhoneAndPaper()
    {
        Assert.SkipUnless(s_chromium is not null, "Chromium is not installed: apt-get install chromium");
        string file = WritePage();
        IPage page = await Open(file, 1000);
        Assert.Equal("a run & <more>", await page.Locator("h1").TextContentAsync());
        Assert.Equal(100, await page.Locator("#map circle").CountAsync());
        Assert.Equal(10, await page.Locator(".neighbours").CountAsync());
        Assert.Equal(10, await page.Locator(".neighbours").First.Locator(".tile").CountAsync());
        Assert.Equal(17, await page.Locator("h2:has-text('On corrupted images') + div tr").CountAsync() - 1);
        Assert.Equal(11, await page.Locator("table.confusion tr").CountAsync());

        // The 58th image is in the second row of 40 tiles of 28 px.
        ILocator dot = page.Locator("#map circle[data-n='57']");
        Assert.False(await page.Locator("#near").IsVisibleAsync());
        await dot.DispatchEventAsync("pointermove", new { bubbles = true, clientX = 990, clientY = 790 });
        Assert.True(await page.Locator("#near").IsVisibleAsync());
        Assert.Equal(await dot.Locator("title").TextContentAsync(), await page.Locator("#name").TextContentAsync());
        Assert.Equal("-476px -28px",
            await page.Locator("#picture").EvaluateAsync<string>("e => getComputedStyle(e).backgroundPosition"));
        Assert.True(await page.Locator("#near").EvaluateAsync<bool>(
            "e => e.getBoundingClientRect().right <= innerWidth && e.getBoundingClientRect().bottom <= innerHeight"));
        await page.Locator("h1").HoverAsync();
        await page.Locator("#map").DispatchEventAsync("pointerleave");
        Assert.False(await page.Locator("#near").IsVisibleAsync());

        Assert.Matches("^[0-9]+ of 90 neighbours ha(s|ve) the label of their image.$",
            await page.Locator("p:has-text('neighbours')").Last.TextContentAsync());
        Assert.True(
            await page.Locator(".neighbours img").First.EvaluateAsync<double>("e => e.getBoundingClientRect().width") > 70);
        Assert.Contains("fashion-mnist:sample#", await page.Locator(".neighbours figcaption").First.TextContentAsync());

        IPage map = await Open(Path.Combine(Path.GetDirectoryName(file)!, "gallery.html"), 1000);
        Assert.Equal("a run & <more>", await map.Locator("h1").TextContentAsync());
        Assert.Equal(100, await map.Locator("#map circle").CountAsync());

        IPage phone = await Open(file, 380);
        Assert.True(await phone.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
            "the page is wider than a phone");
        Assert.True((await page.PdfAsync()).Length > 20_000);
        Assert.Empty(_problems);
    }
}
