# The set-up code proper: in real mode it asks the BIOS what only the BIOS knows, and writes the answers into boot_params.

    .set BOOT_PARAMS_SIZE, 4096
    .set SETUP_STACK_SIZE, 2048
    .set SETUP_SIGNATURE, 0x5a5aaa55
    .set OLD_COMMAND_LINE_MAGIC, 0xa33f

    # Offsets in boot_params.
    .set EXT_MEM_K, 0x002
    .set IST_INFO, 0x060
    .set ALT_MEM_K, 0x1e0
    .set E820_ENTRIES, 0x1e8
    .set KBD_STATUS, 0x1eb
    .set HDR, 0x1f1
    .set CODE32_START, 0x214
    .set CMD_LINE_PTR, 0x228
    .set E820_TABLE, 0x2d0

    .section .setup16, "", @progbits
    .code16

# Calls the BIOS. Some change segment registers or the direction flag. The carry flag is the BIOS's.
.macro bios vector
    pushw   %ds
    pushw   %es
    int     $\vector
    popw    %es
    popw    %ds
    cld
.endm

# ds = where this section was loaded; cs is 0x20 more.
start_of_setup:
    cld
    movw    %ds, %ax
    movw    %ax, %es
    movw    %ax, %ss
    movl    $setup_stack_end, %esp
    pushw   %ds
    pushw   $1f
    lretw
1:  sti
    cmpl    $SETUP_SIGNATURE, setup_signature
    je      2f
    movw    $setup_cut_short, %si
    call    bios_puts
1:  hlt
    jmp     1b

setup_cut_short:
    .asciz  "The kernel's set-up code is cut short: load all of it.\r\n"

2:  xorl    %eax, %eax
    movw    $setup_boot_params, %di
    movw    $BOOT_PARAMS_SIZE / 4, %cx
    rep stosl
    movw    $setup_header, %si
    movw    $setup_boot_params + HDR, %di
    movw    $setup_header_end - setup_header, %cx
    rep movsb

    # Boot loaders older than protocol 2.02 leave the command line's offset in the boot sector instead.
    cmpl    $0, setup_boot_params + CMD_LINE_PTR
    jne     3f
    cmpw    $OLD_COMMAND_LINE_MAGIC, 0x20
    jne     3f
    xorl    %eax, %eax
    movw    %ds, %ax
    shll    $4, %eax
    movzwl  0x22, %edx
    addl    %edx, %eax
    movl    %eax, setup_boot_params + CMD_LINE_PTR
3:
    call    detect_memory
    call    query_keyboard
    call    query_speedstep
    call    query_edd
    call    store_screen
    call    set_vesa_mode
    call    enable_a20
    movl    $start_kernel_image, %eax
    jmp     enter_protected_mode

query_keyboard:
    movb    $2, %ah                         # shift, lock and other states
    bios    0x16
    movb    %al, setup_boot_params + KBD_STATUS
    ret

# Intel SpeedStep: what the ACPI-less driver wants to know.
query_speedstep:
    movl    $0xe980, %eax
    movl    $0x47534943, %edx               # "GSIC"
    xorl    %ebx, %ebx
    xorl    %ecx, %ecx
    bios    0x15
    jc      1f
    cmpl    $0x47534943, %eax
    jne     1f
    movl    %eax, setup_boot_params + IST_INFO
    movl    %ebx, setup_boot_params + IST_INFO + 4
    movl    %ecx, setup_boot_params + IST_INFO + 8
    movl    %edx, setup_boot_params + IST_INFO + 12
1:  ret
