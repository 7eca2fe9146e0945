using System.Runtime.CompilerServices;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

public sealed class MessagesTests
{
    [Fact]
    public void Messages_name_the_program_and_go_to_standard_error_only()
    {
        using ConsoleText console = new();
        Messages.Error("it failed.");
        Messages.Progress("it runs.");
        Messages.Notice("it lacks something.");
        Assert.Equal(["conntracker: it failed.", "conntracker: it runs.", "conntracker: note: it lacks something."], console.ErrorLines);
        Assert.Equal("", console.Output);
    }

    public static TheoryData<Exception> Expected =>
    [
        new ConntrackException(ConntrackErrorReason.PermissionDenied, "why"),
        new IOException("why"),
        new UnauthorizedAccessException("why"),
        new ArgumentException("why"),
    ];

    [Theory]
    [MemberData(nameof(Expected))]
    public void An_error_that_a_user_can_act_on_is_its_message(Exception error) => Assert.Equal("why", ErrorText.Of(error));

    [Fact]
    public void Any_other_error_is_one_line_with_its_type_and_the_place_where_it_was_thrown()
    {
        Exception? error = Record.Exception(Throw);
        string text = ErrorText.Of(Assert.IsType<InvalidOperationException>(error));
        Assert.StartsWith($"unexpected InvalidOperationException at {typeof(MessagesTests).FullName}.{nameof(Throw)}()", text, StringComparison.Ordinal);
        Assert.EndsWith(": first second", text, StringComparison.Ordinal);
        Assert.Single(text.Split('\n', '\r'));
    }

    [Fact]
    public void An_error_that_was_not_thrown_has_no_place() =>
        Assert.Equal("unexpected TimeoutException at an unknown place: late", ErrorText.Of(new TimeoutException("late")));

    [Fact]
    public void A_message_of_several_lines_becomes_one()
    {
        ArgumentOutOfRangeException error = new("size", 5, "Too small.");
        Assert.Contains('\n', error.Message);
        Assert.Equal("Too small. (Parameter 'size') Actual value was 5.", ErrorText.Of(error));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw() => throw new InvalidOperationException("first\nsecond");
}
