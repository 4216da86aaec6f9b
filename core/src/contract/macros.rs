//! The macro that makes a contract of a list of functions.

/// Makes a contract of a list of functions: a type with its name, a client whose functions look like functions, and a
/// trait for the server.
///
/// `fn` takes one message and returns one; `post` takes one and has no answer. See [`contract`](mod@crate::contract)
/// for an example, and for what is checked.
///
/// The type has `plan_channel`, `client` and `server` for a region, `connect` and `accept` for a stream of bytes, and
/// `serve` for both.
///
/// An argument that is no message does not compile:
///
/// ```compile_fail,E0277
/// strait_core::contract! {
///     contract Switch: client SwitchClient, server SwitchServer { fn set(on: bool) -> u32; }
/// }
/// ```
///
/// Nor does a `post` with an answer, or a `fn` without one:
///
/// ```compile_fail
/// strait_core::contract! {
///     contract Log: client LogClient, server LogServer { post line(number: u32) -> u32; }
/// }
/// ```
///
/// ```compile_fail
/// strait_core::contract! {
///     contract Log: client LogClient, server LogServer { fn line(number: u32); }
/// }
/// ```
///
/// Nor a function twice:
///
/// ```compile_fail
/// strait_core::contract! {
///     contract Log: client LogClient, server LogServer { post line(number: u32); post line(number: u64); }
/// }
/// ```
///
/// Nor a server that lacks a function:
///
/// ```compile_fail,E0046
/// strait_core::contract! {
///     contract Log: client LogClient, server LogServer { post line(number: u32); }
/// }
/// struct Nothing;
/// impl LogServer for Nothing {}
/// ```
#[macro_export]
macro_rules! contract {
    ($($contract:tt)*) => {
        $crate::__contract! { ($crate) $($contract)* }
    };
}

/// The body of `contract!`; its first argument is the path of this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract {
    (($krate:tt)
        $(#[$meta:meta])*
        $vis:vis contract $name:ident : client $client:ident, server $server:ident {
            $($(#[$fun_meta:meta])* $kind:ident $fun:ident ($arg:ident : $req:ty) $(-> $ans:ty)? ;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;

        impl $krate::contract::Contract for $name {
            const NAME: &'static str = $krate::__private::plain_name(stringify!($name));
            const FUNCTIONS: &'static [$krate::contract::Function] =
                &[$($krate::__contract_function!(($krate) $kind $fun ($req) $($ans)?)),+];
            const TEXT: &'static str = {
                const NAME: &str = <$name as $krate::contract::Contract>::NAME;
                const FUNCTIONS: &[$krate::contract::Function] =
                    <$name as $krate::contract::Contract>::FUNCTIONS;
                const BYTES: [u8; $krate::contract::text_len(NAME, FUNCTIONS)] =
                    $krate::contract::text(NAME, FUNCTIONS);
                $krate::contract::as_text(&BYTES)
            };
            type Request = [u32; $krate::contract::request_words(
                <$name as $krate::contract::Contract>::FUNCTIONS,
            )];
            type Answer = [u32; $krate::contract::answer_words(
                <$name as $krate::contract::Contract>::FUNCTIONS,
            )];
        }

        #[allow(dead_code, reason = "a program may need one side of a contract alone")]
        impl $name {
            /// A channel in a region that carries this contract, with up to `places` calls at once, a power of two
            /// from 1 to 32.
            #[must_use]
            $vis const fn plan_channel(name: &str, places: u32) -> $krate::Channel<'_> {
                $krate::contract::plan_channel::<Self>(name, places)
            }

            /// Opens the client's role of a channel in a region. If the channel is of another contract, waits up to
            /// `timeout` for its server to say what differs.
            ///
            /// # Errors
            ///
            /// `OpenContractError`.
            $vis fn client<P: $krate::port::Port>(
                region: &$krate::Attachment<P>,
                channel: &str,
                timeout: ::core::time::Duration,
            ) -> ::core::result::Result<
                $client<$krate::contract::RegionCarrier<Self, P>>,
                $krate::contract::OpenContractError,
            > {
                let carrier = $krate::contract::RegionCarrier::open(region, channel, timeout)?;
                ::core::result::Result::Ok($client { carrier })
            }

            /// As `client`, in a lane, from 0, of a channel with several clients; `client` takes any that is free and
            /// not urgent.
            ///
            /// # Errors
            ///
            /// `OpenContractError`.
            $vis fn lane_client<P: $krate::port::Port>(
                region: &$krate::Attachment<P>,
                channel: &str,
                lane: u32,
                timeout: ::core::time::Duration,
            ) -> ::core::result::Result<
                $client<$krate::contract::RegionCarrier<Self, P>>,
                $krate::contract::OpenContractError,
            > {
                let carrier = $krate::contract::RegionCarrier::open_lane(region, channel, lane, timeout)?;
                ::core::result::Result::Ok($client { carrier })
            }

            /// Opens the server's role of a channel in a region that has up to `N` clients, in whose lanes it serves
            /// in turns.
            ///
            /// # Errors
            ///
            /// `ChannelError`; `Type` if the channel is of another contract.
            $vis fn lanes_server<P: $krate::port::Port, const N: usize>(
                region: &$krate::Attachment<P>,
                channel: &str,
            ) -> ::core::result::Result<
                $krate::contract::LanesRequests<Self, P, N>,
                $krate::ChannelError,
            > {
                $krate::contract::LanesRequests::open(region, channel)
            }

            /// Opens the server's role of a channel in a region.
            ///
            /// # Errors
            ///
            /// `ChannelError`; `Type` if the channel is of another contract.
            $vis fn server<P: $krate::port::Port>(
                region: &$krate::Attachment<P>,
                channel: &str,
            ) -> ::core::result::Result<
                $krate::contract::RegionRequests<Self, P>,
                $krate::ChannelError,
            > {
                $krate::contract::RegionRequests::open(region, channel)
            }

            /// Bytes of each of a stream's two buffers.
            $vis const STREAM_BUFFER: usize = $krate::contract::stream_buffer(
                <Self as $krate::contract::Contract>::FUNCTIONS,
            );

            /// Asks the server at a stream's other end for its contract, waiting up to `timeout`. The buffers have
            /// `STREAM_BUFFER` bytes at least.
            ///
            /// # Errors
            ///
            /// `OpenContractError`.
            $vis fn connect<'b, S: $krate::contract::ByteStream>(
                io: S,
                into: &'b mut [u8],
                out: &'b mut [u8],
                timeout: ::core::time::Duration,
            ) -> ::core::result::Result<
                $client<$krate::contract::StreamCarrier<'b, Self, S>>,
                $krate::contract::OpenContractError,
            > {
                let carrier = $krate::contract::StreamCarrier::connect(io, into, out, timeout)?;
                ::core::result::Result::Ok($client { carrier })
            }

            /// The server's side for the client at a stream's other end. The buffers have `STREAM_BUFFER` bytes at
            /// least.
            ///
            /// # Errors
            ///
            /// `OpenContractError::BufferTooShort`.
            $vis fn accept<'b, S: $krate::contract::ByteStream>(
                io: S,
                into: &'b mut [u8],
                out: &'b mut [u8],
            ) -> ::core::result::Result<
                $krate::contract::StreamRequests<'b, Self, S>,
                $krate::contract::OpenContractError,
            > {
                $krate::contract::StreamRequests::accept(io, into, out)
            }

            /// Serves the requests that are there, waiting up to `timeout` for the first; returns how many there
            /// were, which is bounded.
            ///
            /// # Errors
            ///
            /// `ServeContractError`, if there is not even one.
            $vis fn serve<R, S>(
                requests: &mut R,
                server: &mut S,
                timeout: ::core::time::Duration,
            ) -> ::core::result::Result<u32, $krate::contract::ServeContractError>
            where
                R: $krate::contract::Requests<Contract = Self>,
                S: $server + ?Sized,
            {
                $krate::contract::Requests::serve(
                    requests,
                    timeout,
                    |invocation: $krate::contract::Invocation<'_>| {
                        $($krate::__contract_run! {
                            ($krate) $kind ($name server invocation) $fun ($req) $($ans)?
                        })+
                        ::core::result::Result::Err(0)
                    },
                )
            }
        }

        #[doc = concat!("The client of contract [`", stringify!($name), "`], over a carrier.")]
        $vis struct $client<C> {
            /// The carrier: to set how it waits, or to look at the other side.
            $vis carrier: C,
        }

        #[allow(dead_code, reason = "a program may need one side of a contract alone")]
        impl<C: $krate::contract::Carrier<Contract = $name>> $client<C> {
            $($krate::__contract_client! {
                ($krate) $vis $kind ($name) $(#[$fun_meta])* $fun $arg ($req) $($ans)?
            })+
        }

        #[doc = concat!("What a server of contract [`", stringify!($name), "`] does.")]
        ///
        /// An error is the code with which the request is refused; 0 also stands for a server that panicked.
        $vis trait $server {
            $($krate::__contract_server! { $kind $(#[$fun_meta])* $fun $arg ($req) $($ans)? })+
        }
    };
}

/// A function as the contract lists it.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_function {
    (($krate:tt) fn $fun:ident ($req:ty) $ans:ty) => {
        $krate::contract::Function::call::<$req, $ans>($krate::__private::plain_name(stringify!($fun)))
    };
    (($krate:tt) post $fun:ident ($req:ty)) => {
        $krate::contract::Function::post::<$req>($krate::__private::plain_name(stringify!($fun)))
    };
}

/// A function's number.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_number {
    (($krate:tt) $name:ident $fun:ident) => {
        const {
            $krate::contract::number(
                <$name as $krate::contract::Contract>::FUNCTIONS,
                $krate::__private::plain_name(stringify!($fun)),
            )
        }
    };
}

/// Runs a function of the server, if it is the one that is asked for.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_run {
    (($krate:tt) fn ($name:ident $server:ident $invocation:ident) $fun:ident ($req:ty) $ans:ty) => {
        if $invocation.function == $krate::__contract_number!(($krate) $name $fun) {
            return $invocation.call(|argument: &$req| $server.$fun(argument));
        }
    };
    (($krate:tt) post ($name:ident $server:ident $invocation:ident) $fun:ident ($req:ty)) => {
        if $invocation.function == $krate::__contract_number!(($krate) $name $fun) {
            return $invocation.post(|argument: &$req| $server.$fun(argument));
        }
    };
}

/// A function of the client.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_client {
    (($krate:tt) $vis:vis fn ($name:ident) $(#[$meta:meta])* $fun:ident $arg:ident ($req:ty) $ans:ty) => {
        $(#[$meta])*
        $vis fn $fun(
            &mut self,
            $arg: &$req,
            timeout: ::core::time::Duration,
        ) -> ::core::result::Result<$ans, $krate::contract::FunctionError> {
            $krate::contract::call(
                &mut self.carrier,
                $krate::__contract_number!(($krate) $name $fun),
                $arg,
                timeout,
            )
        }
    };
    (($krate:tt) $vis:vis post ($name:ident) $(#[$meta:meta])* $fun:ident $arg:ident ($req:ty)) => {
        $(#[$meta])*
        $vis fn $fun(&mut self, $arg: &$req) -> ::core::result::Result<(), $krate::contract::FunctionError> {
            $krate::contract::post(
                &mut self.carrier,
                $krate::__contract_number!(($krate) $name $fun),
                $arg,
            )
        }
    };
}

/// A function of the server's trait.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract_server {
    (fn $(#[$meta:meta])* $fun:ident $arg:ident ($req:ty) $ans:ty) => {
        $(#[$meta])*
        fn $fun(&mut self, $arg: &$req) -> ::core::result::Result<$ans, u16>;
    };
    (post $(#[$meta:meta])* $fun:ident $arg:ident ($req:ty)) => {
        $(#[$meta])*
        fn $fun(&mut self, $arg: &$req);
    };
}
