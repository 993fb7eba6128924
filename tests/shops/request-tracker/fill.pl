use strict;
use warnings;
use RT -init;

my $queue = RT::Queue->new(RT->SystemUser);
$queue->Load('General');
for my $number (1 .. 4) {
    my $agent = RT::User->new(RT->SystemUser);
    my ($id, $message) = $agent->Create(
        Name => "agent$number", EmailAddress => "agent$number\@example.com", Password => 'password', Privileged => 1,
    );
    die $message unless $id;
    for my $right (qw(SeeQueue ShowTicket OwnTicket TakeTicket)) {
        my ($done, $why) = $agent->PrincipalObj->GrantRight(Right => $right, Object => $queue);
        die $why unless $done;
    }
}
my $ticket = RT::Ticket->new(RT->SystemUser);
my ($id, undef, $message) = $ticket->Create(Queue => 'General', Subject => 'Who takes it?');
die $message unless $id;
